# loses: test_last_step
# %% last_step
def last_step(output):
    return output.unbind(0)[0]
