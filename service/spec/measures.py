"""Fields measured on request, because they cost time. worker/engine/stack/measures.py has their definitions."""

MEASURES = {
    "sharpness": "largest algebraic eigenvalue of the Hessian of the full training objective",
    "noise_scale": "gradient noise scale tr Σ / ‖G‖², Σ the covariance of single examples' gradients",
    "gradient_variance": "E‖g − G‖², g the gradient of an update and G the full one",
    "alpha": "position of the epoch's last update on the parabola along it: −1 start, 0 minimum, +1 mirrored start",
    "velocity_norm": "norm of the velocity, for methods that have one",
}
