# loses: test_last_step
# %% last_step
def last_step(output):
    return output.select(dim=-1, index=-1)
