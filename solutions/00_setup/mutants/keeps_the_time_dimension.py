# loses: test_last_step
# %% last_step
def last_step(output):
    first_after_all_others = len(output) - 1
    return output[first_after_all_others:]
