"""What can be measured of a run on request, because it costs time?"""

MEASURES = {
    "sharpness": "largest algebraic eigenvalue of the Hessian of the full training objective",
    "noise_scale": "gradient noise scale tr Σ / ‖G‖², Σ the covariance of single examples' gradients",
    "gradient_variance": "E‖g − G‖², g the gradient of an update and G the full one",
    "alpha": "where the epoch's last update landed on the parabola along it: −1 start, 0 its minimum, +1 mirrored",
    "velocity_norm": "norm of the velocity, for methods that keep one",
}
