"""What motionscribe is measured by: quality of labels, speed, and what it does when things break."""
