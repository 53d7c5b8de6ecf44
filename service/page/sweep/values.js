// Values that a map can show of each setting, and how they are named.

/** For each value of `GET /v1/jobs/{id}/grid`: its title, and the words for cells without a number. */
export const VALUES = {
  final_loss: { title: "final loss", lost: "diverged" },
  epochs_to_target: { title: "epochs to target", lost: "target missed" },
  diverged: { title: "share diverged", lost: "most runs diverged" },
};
export const FIRST_VALUE = "final_loss";
