// Fields of metric rows: how the page names and scales each of them.

// Fields whose name is not their title. "grad_norm" is "gradient norm"; "test_accuracy" is "test accuracy" by itself.
const TITLES = {
  train_loss: "training loss, as printed",
  grad_norm: "gradient norm",
  lr: "learning rate",
  r2: "R²",
  test_r2: "test R²",
};
const LINEAR = ["accuracy", "test_accuracy", "r2", "test_r2", "lr", "momentum"];

/** Give the title of a field. */
export const fieldTitle = (name) => TITLES[name] ?? name.replaceAll("_", " ");

/** Whether a field is drawn on a linear axis by default; the others are drawn on a logarithmic one. */
export const isLinear = (name) => LINEAR.includes(name);

/** Whether a field is a share between 0 and 1. */
export const isShare = (name) => name.endsWith("accuracy");
