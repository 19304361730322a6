/** Shows a file of the gateway where its name is opened. */
export function wireSources() {
  for (const details of document.querySelectorAll('details[data-source]')) {
    details.addEventListener('toggle', async () => {
      const answer = await fetch(`/lab/source/${details.dataset.source}`);
      details.querySelector('pre').textContent = await answer.text();
    });
  }
}
