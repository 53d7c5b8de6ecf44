// Marks for tests and benchmarks: attributes that state what a view has done. The page's scripts read none of them.
//
// On the root of a view (`.view`):
//   data-state     race, train, sweep: `current`, `computing` or `failed`; the style sheet dims by it
//   data-checked   optimizer: rules whose errors are shown, or none
//   data-compared  compare, data, optimizer: questions whose answer is drawn
//   data-described data: datasets whose columns and first rows are drawn
//   data-dataset   data: id of the dataset that is shown
//   data-raced     race: races whose paths are drawn
//   data-trained   train: trainings that ended, with everything about them drawn
//   data-swept     sweep: sweeps that ended, with their map drawn
//   data-drawn     lists of jobs, of presets and of lessons: drawings of the list
//   data-status    compare, data, optimizer, train, sweep and the page of a job: status of the job that is shown
//   data-job       compare, data, optimizer, train: id of the job that is shown
//   data-verdict   page of a lesson: kind of its verdict
// On a plot:
//   data-drawn     `.plot` and `.solid`: drawings of the plot
// On an item of a list:
//   data-job       list of jobs: id of the job
//   data-preset    gallery of presets: name of the preset
//   data-lesson    list of lessons: id of the lesson

/** Set a mark. */
export function mark(element, name, value) {
  element.dataset[name] = value;
}

/** Count up a mark that is a number. */
export function countUp(element, name) {
  mark(element, name, Number(element.dataset[name] ?? 0) + 1);
}

/** Count an event of a view, and mark its time for measurements of the page. */
export function timed(root, name) {
  countUp(root, name);
  performance.clearMarks(name);
  performance.mark(name);
}

/** Mark the first time of something for measurements of the page: `shown` of the first paths, which the browser computes. */
export function once(name) {
  if (!performance.getEntriesByName(name).length) performance.mark(name);
}
