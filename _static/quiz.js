/* Questions on a page: check an answer, say why, show the same question with other numbers.
   Without this script a question is a list with its answer folded below it. */
(() => {
  "use strict";

  const all = (root, selector) => [...root.querySelectorAll(selector)];

  /* The feedback comes out of its fold into a live region; nothing of it shows before an answer is checked. */
  function unfold(form) {
    const fold = form.querySelector(".quiz-answer");
    fold.replaceWith(form.querySelector(".quiz-live"));
    clear(form);
  }

  function clear(form) {
    all(form, ".quiz-feedback, .quiz-steps").forEach((part) => (part.hidden = true));
    all(form, ".quiz-option").forEach((option) => option.classList.remove("quiz-is-right", "quiz-is-wrong"));
    form.querySelector(".quiz-notice").textContent = "";
  }

  function check(form) {
    clear(form);
    const chosen = form.querySelector("input:checked");
    if (!chosen) {
      form.querySelector(".quiz-notice").textContent = "Choose an answer first.";
      return;
    }
    const right = chosen.value === form.dataset.answer;
    chosen.closest(".quiz-option").classList.add(right ? "quiz-is-right" : "quiz-is-wrong");
    const steps = form.querySelector(".quiz-steps");
    steps.open = right; /* after a wrong answer the reader may want to try again first */
    form.querySelector(`.quiz-feedback[data-letter="${chosen.value}"]`).hidden = false;
    steps.hidden = false;
  }

  function another(forms, current) {
    const next = forms[(forms.indexOf(current) + 1) % forms.length];
    next.reset();
    clear(next);
    next.querySelector(".quiz-hint").open = false;
    current.hidden = true;
    next.hidden = false;
    next.querySelector("fieldset").focus(); /* so that the new question is read out */
  }

  function setUp(quiz) {
    if (quiz.classList.contains("quiz-ready")) return;
    quiz.classList.add("quiz-ready");
    const forms = all(quiz, ".quiz-draw");
    for (const form of forms) {
      unfold(form);
      form.addEventListener("change", () => clear(form));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        check(form);
      });
      form.querySelector(".quiz-another")?.addEventListener("click", () => another(forms, form));
    }
  }

  const start = () => all(document, ".quiz").forEach(setUp);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
