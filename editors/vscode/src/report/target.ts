/** Where the HTML report is opened, and how its pages are made to work in a panel. */

export type Target = 'browser' | 'panel';

/** The browser, unless it is on another machine than the report's file. */
export function targetOf(setting: string | undefined, remote: boolean): Target {
  if (setting === 'browser' || setting === 'panel') {
    return setting;
  }
  return remote ? 'panel' : 'browser';
}

/** Whether a link leads to another page of the report: a file beside this one. */
export function isPage(href: string): boolean {
  return /^[\w.-]+\.html(#[\w-]*)?$/.test(href);
}

/**
 * A page with its scripts, styles and pictures from where the panel can have them. A panel does not
 * follow links: they are told to the extension, as is the place that a link leads to.
 */
export function inPanel(page: string, folder: string, source: string, anchor: string): string {
  const policy =
    `default-src 'none'; img-src ${source} data:; font-src ${source};` +
    ` style-src ${source} 'unsafe-inline'; script-src ${source} 'unsafe-inline';`;
  const head =
    `<base href="${folder}/"><meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<script>const covls = acquireVsCodeApi();
addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  const href = link?.getAttribute('href');
  if (!href) return;
  event.preventDefault();
  if (href.startsWith('#')) document.getElementById(href.slice(1))?.scrollIntoView();
  else covls.postMessage(href);
}, true);
addEventListener('load', () => document.getElementById(${JSON.stringify(anchor)})?.scrollIntoView());
</script>`;
  return page.replace(/<head>/i, (tag) => tag + head);
}
