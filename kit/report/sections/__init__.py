"""What the notebooks show, one function a figure or table: analysis -> Exhibit. The notebooks add
the prose and hold no logic.
"""
