"""nbgrader's configuration: where the course lies, and our release, intake, sandbox and examiner inside nbgrader.

Read by every nbgrader command typed here, by JupyterLab's formgrader, and by `python -m grading`. A class folder
elsewhere has an nbgrader_config.py of one line that loads this one; settings of that class follow it there.
"""

from pathlib import Path

from grading import autograde, release

c = get_config()  # noqa: F821  (traitlets hands it in)
autograde.take_nbgraders_place()

course = Path(__file__).resolve().parent
c.CourseDirectory.course_id = "lstm"
c.CourseDirectory.source_directory = str(course / "solutions")
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.ignore = ["*.pyc", "__pycache__", "feedback", *release.NEVER_SHIPS]
c.Exchange.root = str(Path.cwd() / "exchange")
c.ExchangeFactory.collect = "grading.intake_exchange.Collect"

c.GenerateAssignment.preprocessors = release.PREPROCESSORS
c.ExportApp.plugin_class = "grading.export.GradesCsv"

# A handed-in notebook becomes a page in formgrader, on the instructor's own origin, and in the feedback.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "grading.pages.markdown_to_html", "clean_html": "grading.pages.clean_html"}
