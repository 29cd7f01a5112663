// Light or dark, before the first paint: a classic script, since modules run too late for that.
(function () {
  const KEY = 'grateful.theme';
  const root = document.documentElement;

  function stored() {
    try {
      return localStorage.getItem(KEY) ?? 'auto';
    } catch {
      return 'auto';
    }
  }

  function apply(theme) {
    root.dataset.theme = theme;
  }

  apply(stored());
  root.addEventListener('grateful:theme', (event) => {
    apply(event.detail);
    try {
      localStorage.setItem(KEY, event.detail);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
})();
