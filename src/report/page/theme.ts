// Light, dark, or as the reader's system has it. Kept for this page only: a file from disk has no storage to rely on.

export function startThemes(): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-theme-choice]')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      document.documentElement.dataset.theme = button.dataset.themeChoice ?? 'auto';
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
    });
  }
}
