// Runs before anything is drawn, so that a page which was made dark never flashes white.
{
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
}
