// Makes media/icon.png of media/icon.svg, for galleries take no SVG: node scripts/icon.mjs
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
const svg = await readFile('media/icon.svg', 'utf8');
await page.setContent(`<body style="margin:0;background:transparent">${svg}</body>`);
await page.screenshot({ path: 'media/icon.png', omitBackground: true });
await browser.close();
