// Names that scripts of the page find in the browser, and that no module of it declares.

interface Window {
  /** The script of Plotly, which declares no types; service/page/plot/plotly.js loads it. */
  Plotly?: any;
}
