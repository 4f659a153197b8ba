// Drives the real JupyterLab by Chromium. Called by `environment/lab-test`, LAB_URL set: the Lab's folder, a folder for screenshots, Chromium's path, the
// model of notebook 10 or '', 'lab' or '' for the notebooks alone, and their numbers or 'all'.
import fs from 'node:fs';
import path from 'node:path';
import { Lab, PATIENCE, check, code, counted, errors, headers, html, must, origin, pause, settled, shown, url, visible } from './driver.mjs';

const [folder, shots, chromiumPath, model, withLab, ...numbers] = process.argv.slice(2);
const lab = new Lab(folder, shots);
const page = await lab.start(chromiumPath);

await check('lab: the page opens with the token', async () => {
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.locator('#jp-main-dock-panel').waitFor();
});

const PICTURE = '.jp-RenderedImage img, .jp-RenderedHTML img';

async function notebookRuns(name) {
  const nn = name.slice(0, 2);
  const before = code(lab.saved(name));
  let after = before;
  const runs = nn !== '10' || model;
  await check(`${nn}: opens, with our kernel`, async () => {
    await lab.open(name);
    const text = await page.locator(`${visible} .jp-KernelName`).first().innerText();
    must(text.includes('RecallLab'), text);
  });
  if (runs) {
    await check(`${nn}: Run All runs ${before.length} cells`, async () => {
      await lab.menu('Edit', 'Clear Outputs of All Cells');
      await lab.until(name, cells => cells.every(c => c.outputs.length === 0));
      after = await lab.runAll(name);
      must(after.every((c, i) => c.execution_count === i + 1), after.map(c => c.execution_count));
    });
  } else {
    await check(`${nn}: not run, environment/fetch has not got its model; as committed, each cell has been run`,
      async () => must(before.every(c => c.execution_count), 'a cell has no number'));
  }
  await check(`${nn}: no error output in ${after.filter(c => c.execution_count).length} executed cells`, async () => must(errors(after).length === 0, errors(after)));
  const had = before.reduce((sum, c) => sum + shown(c), 0);
  await check(`${nn}: each cell shows what it showed when it was committed, ${had} tables and pictures in all`, async () => {
    const less = before.flatMap((c, i) => shown(after[i]) < shown(c) ? [`code cell ${i + 1}: ${shown(after[i])} of ${shown(c)}`] : []);
    must(less.length === 0, less);
  });
  if (after.some(c => shown(c) > 0)) {
    await check(`${nn}: a picture is on the page, light and dark${runs ? ', and says its numbers' : ''}`, async () => {
      await lab.bothThemes(nn, () => lab.bring(PICTURE));
      must(await page.locator(`:is(${PICTURE}):visible`).first().evaluate(e => e.complete && e.naturalWidth > 100), 'not drawn');
      if (runs && after.some(c => c.outputs.some(o => html(o).includes('<area')))) {
        await lab.bring('.jp-RenderedHTML img[usemap]');
        const title = await page.locator(`${visible} .jp-RenderedHTML map area[title]`).first().getAttribute('title');
        must(title.includes(': '), `no hover text: ${title}`);
      }
    });
  }
  await lab.shutDown();
}

async function theLab() {
  await check('lab: without the token nobody is let in', async () => {
    must((await fetch(`${origin}/api/contents`)).status === 403, 'let in');
  });
  await check('lab: nothing is asked about news', async () => {
    await pause(3000);
    must(await page.locator('text=official Jupyter news').count() === 0, 'asked');
  });
  await stopping();
  await outputs();
  await ownPair();
  await lab.shutDown();
  await shows();
  await untrusted();
  await exported();
}

async function stopping() {
  await check('lab: an interrupt stops Run All', async () => {
    lab.scratch('98-stopping.ipynb', 'System.out.println("begun"); while (true) { Thread.sleep(20); }', 'int never = 1;', '"nor this"');
    await lab.open('98-stopping.ipynb');
    await lab.menu('Run', 'Run All Cells');
    await page.locator(`${visible} .jp-OutputArea-output`, { hasText: 'begun' }).first().waitFor({ timeout: PATIENCE });
    await lab.menu('Kernel', 'Interrupt Kernel');
    await lab.ready();
    const cells = code(await lab.until('98-stopping.ipynb', c => errors(c).length > 0));
    must(errors(cells)[0] === 'Interrupted: the cell was stopped', errors(cells));
    must(cells.slice(1).every(c => c.execution_count === null && c.outputs.length === 0), cells.slice(1));
  });
  await check('lab: after a restart a new kernel counts from 1', async () => {
    lab.scratch('97-restart.ipynb', 'int kept = 5;\nkept', '6 * 7');
    await lab.open('97-restart.ipynb');
    await lab.runAll('97-restart.ipynb');
    await lab.menu('Kernel', 'Restart Kernel…');
    await page.locator('.jp-Dialog button', { hasText: 'Restart' }).click();
    await lab.ready();
    await page.locator(`${visible} .jp-Cell`).nth(1).click();
    await page.keyboard.press('Control+Enter');
    const cells = code(await lab.until('97-restart.ipynb', c => c[1].execution_count === 1 && c[1].outputs.length === 1));
    must([cells[1].outputs[0].data['text/plain']].flat().join('') === '42', cells[1]);
  });
}

async function outputs() {
  await check('lab: 100,000 lines leave the page usable', async () => {
    lab.scratch('96-lines.ipynb', 'for (int i = 0; i < 100_000; i++) System.out.println("line " + i);', '"the end"');
    await lab.open('96-lines.ipynb');
    const cells = await lab.runAll('96-lines.ipynb');
    must(JSON.stringify(cells[0].outputs).includes('94,800 lines'), 'no word of lines that are left out');
    await page.locator(`${visible} .jp-OutputArea-output`, { hasText: 'are left out here' }).first().waitFor({ state: 'attached' });
    must(await page.evaluate(() => 6 * 7) === 42, 'does not answer');
  });
  await check('lab: Shift-Tab shows Javadoc', async () => {
    lab.scratch('95-help.ipynb', 'LanguageModel.open("tiny-mamba")');
    await lab.open('95-help.ipynb');
    await page.locator(`${visible} .jp-Cell .cm-content`).first().click();
    await page.keyboard.press('Control+Enter');
    await lab.until('95-help.ipynb', settled);
    await page.locator(`${visible} .jp-Cell .cm-content`).first().click();
    await page.keyboard.press('Home');
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+Tab');
    const help = page.locator('.jp-Tooltip');
    await help.waitFor();
    const text = await help.innerText();
    must(text.includes('LanguageModel.open(String nameOrFolder)') && text.length > 150, text);
    await lab.shot('95-help');
  });
}

async function ownPair() {
  await check('lab: a pair of one\'s own is typed and traced, the whole subject at once too', async () => {
    lab.scratch('92-own.ipynb', 'var m = LanguageModel.open("tiny-mamba");', ' ');
    await lab.open('92-own.ipynb');
    await page.locator(`${visible} .jp-Cell .cm-content`).first().click();
    await page.keyboard.press('Control+Enter');
    await page.locator(`${visible} .jp-Cell .cm-content`).nth(1).click();
    await page.keyboard.type('CausalTrace.of(m).of("Novux Bridge is located in the city of", "Lofir Tower is located in the city of")');
    await page.keyboard.press('Control+Enter');
    await page.locator(`${visible} .jp-RenderedHTML area[title^="whole subject, layer 0: "]`).waitFor({ state: 'attached' });
    must(await page.locator(`${visible} area[title^="Novux / Lofir *, layer 0: "]`).count() === 1, 'no row of the subject\'s first token');
    await lab.bothThemes('92-own');
  });
}

// what answers, on one page
const SHOWN = ['HeatMap.of("t", new double[][] {{1, 2}, {3, 4.5}}).rows(List.of("Paris", "is")).columns("layer")',
  'Tables.of("many", List.of("n", "square root", "name"), IntStream.range(0, 200).mapToObj(i -> List.<Object>of(i, Math.sqrt(i), "row of " + (i * 37 % 200))).toList())',
  'TokenColours.of(List.of("Novux", " Bridge", " is", " in"), new double[] {Double.NaN, 9.5, 0.25, 2}).title("surprisal, in bits")',
  'Slider.over("share", "layer", IntStream.range(0, 4).mapToObj(k -> HeatMap.of("", new double[][] {{k, 3 - k}, {0.5, Double.NaN}}).rows(List.of("a", "b")).columns("is read")).toList())'];
const numbersOf = (where, n) => where.locator('.recall-table tbody').first().locator('tr').nth(n).locator('td').first().innerText();

/** Sorts, searches and unfolds the table of 200 rows on a page. */
async function tableAnswers(where) {
  const box = where.locator('.recall-table', { hasText: 'many' }).first();
  const rows = box.locator('tbody tr');
  must(await rows.count() === 60, `${await rows.count()} rows at first`);
  await box.locator('th', { hasText: 'square root' }).getByRole('button').click();
  await box.locator('th', { hasText: 'square root' }).getByRole('button').click();
  must(await numbersOf(where, 0) === '199', `sorted downwards the first is ${await numbersOf(where, 0)}`);
  must(await box.locator('th').nth(1).getAttribute('aria-sort') === 'descending', 'not said which way');
  await box.getByRole('button', { name: 'all 200 rows' }).click();
  must(await rows.count() === 200, `${await rows.count()} rows of all`);
  await box.getByRole('searchbox').click();
  await box.getByRole('searchbox').pressSequentially('row of 74');
  must(await rows.count() === 1 && await rows.first().locator('td').first().innerText() === '2', `searched: ${await rows.count()} rows`);
  must((await box.getByRole('status').innerText()) === '1 of 200 rows', await box.getByRole('status').innerText());
  await box.getByRole('searchbox').fill('');
  await box.locator('th', { hasText: 'square root' }).getByRole('button').click();
  must(await numbersOf(where, 0) === '0' && await rows.count() === 200, 'the first order does not come back');
  await box.getByRole('button', { name: 'first 60 rows' }).click();
}

/** Moves the slider of a page and reads what a cell says then. */
async function sliderMoves(where, keyboard) {
  const box = where.locator('.recall-slider').first();
  const first = await box.locator('img').getAttribute('src');
  const said = async () => (await box.locator('area').first().getAttribute('title'));
  must(await said() === 'a, is read 0: 0', await said());
  const slider = box.getByRole('slider');
  await slider.focus();
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  must(await slider.inputValue() === '2', `by two keys it is at ${await slider.inputValue()}`);
  for (let i = 0; i < 50 && await said() !== 'a, is read 0: 2'; i++) await pause(100);
  must(await said() === 'a, is read 0: 2', await said());
  for (let i = 0; i < 50 && await box.locator('img').getAttribute('src') === first; i++) await pause(100);
  must(await box.locator('img').getAttribute('src') !== first, 'the picture is the same');
  must((await box.locator('img').getAttribute('alt')).includes('layer 2; largest: a, is read 0: 2'), await box.locator('img').getAttribute('alt'));
  must((await box.locator('output').innerText()).includes('layer 2 of 0 to 3'), await box.locator('output').innerText());
  // the cell at the end of the range has the last colour, in the middle of its area
  const pixel = await box.locator('img').evaluate(async image => {
    await image.decode();
    const c = document.createElement('canvas');
    c.width = image.naturalWidth;
    c.height = image.naturalHeight;
    c.getContext('2d').drawImage(image, 0, 0);
    const [left, top, right, bottom] = document.querySelectorAll('.recall-slider area')[1].coords.split(',').map(Number);
    const scale = image.naturalWidth / Number(image.getAttribute('width'));
    return [...c.getContext('2d').getImageData(scale * (left + right) / 2, scale * (top + bottom) / 2, 1, 1).data].slice(0, 3).join();
  });
  must(pixel !== '255,255,255' && pixel !== '63,0,125', `1 of 0 to 3 is painted ${pixel}`);
}

async function shows() {
  await check('lab: a cell of a heat map says its number when it is pointed at', async () => {
    lab.scratch('94-answers.ipynb', ...SHOWN);
    await lab.open('94-answers.ipynb');
    const cells = await lab.runAll('94-answers.ipynb');
    must(errors(cells).length === 0, errors(cells));
    await page.locator(`${visible} .jp-RenderedHTML area[title="is, layer 1: 4.5000"]`).waitFor({ state: 'attached' });
    const image = page.locator(`${visible} .jp-RenderedHTML img[usemap]`).first();
    await lab.bring('.jp-RenderedHTML img[usemap]');
    const hit = await image.evaluate(e => {
      const [left, top, right, bottom] = document.querySelector('area[title="is, layer 1: 4.5000"]').coords.split(',').map(Number);
      const box = e.getBoundingClientRect();
      return document.elementFromPoint(box.left + (left + right) / 2, box.top + (top + bottom) / 2).title;
    });
    must(hit === 'is, layer 1: 4.5000', hit);
    await lab.bothThemes('94-map', () => lab.bring('.jp-RenderedHTML img[usemap]'));
  });
  const shownPage = page.locator(visible);
  await check('lab: a table sorts, searches and shows all rows', async () => {
    await lab.bring('.recall-table input[type=search]');
    await tableAnswers(shownPage);
    must((await lab.until('94-answers.ipynb', () => true)).cells.length === SHOWN.length, 'a key in the search box has made or removed a cell');
    await lab.bothThemes('94-table', () => lab.bring('.recall-table input[type=search]'));
  });
  await check('lab: tokens have colours and say their numbers', async () => {
    const token = page.locator(`${visible} span[title="Bridge: 9.5000"]`);
    await lab.bring('span[title="Bridge: 9.5000"]');
    must(await token.evaluate(e => getComputedStyle(e).backgroundColor) === 'rgb(63, 0, 125)', 'another colour');
    await lab.bothThemes('94-tokens', () => lab.bring('span[title="Bridge: 9.5000"]'));
  });
  await check('lab: a slider moves by the keys, and the numbers with it', async () => {
    await lab.bring('.recall-slider input');
    await sliderMoves(shownPage, page.keyboard);
    await lab.bothThemes('94-slider', () => lab.bring('.recall-slider input'));
  });
}

async function untrusted() {
  await check('lab: a notebook that is not trusted shows pictures, tables with the rest of their rows, colours; and runs no script', async () => {
    lab.foreign('94-answers.ipynb', '93-foreign.ipynb');
    await lab.shutDown();
    await lab.open('93-foreign.ipynb');
    // JupyterLab 4 takes a map's name away there: the picture and its alternative text stay
    const picture = page.locator(`${visible} .jp-RenderedHTML img[alt^="Heat map: t, 2 rows"]`);
    await picture.waitFor();
    must(await picture.evaluate(e => e.complete && e.naturalWidth > 100), 'not drawn');
    const details = page.locator(`${visible} details`, { hasText: '140 more rows' }).first();
    await details.locator('summary').click();
    await details.locator('td', { hasText: /^199$/ }).first().waitFor();
    must(await page.locator(`${visible} input[type=range], ${visible} input[type=search]`).count() === 0, 'a script has run');
    await lab.bring('span[title="Bridge: 9.5000"]');
    must(await page.locator(`${visible} span[title="Bridge: 9.5000"]`).evaluate(e => getComputedStyle(e).backgroundColor) === 'rgb(63, 0, 125)',
      'tokens have lost their colours');
    await lab.bring('.jp-RenderedHTML img[alt^="Heat map: share, 2 rows"]');
    must(await page.locator(`${visible} .jp-RenderedHTML img[alt^="Heat map: share, 2 rows"]`).evaluate(e => e.complete && e.naturalWidth > 100),
      'the slider\'s first picture is not drawn');
    await lab.shot('93-foreign');
  });
}

async function exported() {
  await check('lab: an exported page loads nothing, and answers as the notebook does', async () => {
    const text = await (await fetch(`${origin}/nbconvert/html/94-answers.ipynb`, { headers })).text();
    must(text.includes('recall-table') && !/<script[^>]+src=/.test(text), text.slice(0, 500));
    const file = path.join(shots, '94-exported.html');
    fs.writeFileSync(file, text);
    const alone = await lab.newPage();
    const asked = [];
    alone.on('request', r => { if (!/^(data|file):/.test(r.url())) asked.push(r.url()); });
    await alone.goto(`file://${file}`);
    await tableAnswers(alone.locator('body'));
    await sliderMoves(alone.locator('body'), alone.keyboard);
    must(await alone.locator('span[title="Bridge: 9.5000"]').count() === 1 && await alone.locator('area[title="is, layer 1: 4.5000"]').count() === 1, 'no hover text');
    must(asked.length === 0, asked);
    await lab.shot('94-exported', alone);
    await alone.context().close();
  });
}

const notebooks = fs.readdirSync(folder).filter(f => /^\d\d.*\.ipynb$/.test(f) && (numbers.includes('all') || numbers.includes(f.slice(0, 2)))).sort();
for (const name of notebooks) await notebookRuns(name);
if (withLab) await theLab();
await check('lab: no request has left the machine', async () => must(lab.away.length === 0, lab.away.slice(0, 3)));
await check('lab: no error of a script', async () => must(lab.scriptErrors.length === 0, lab.scriptErrors.slice(0, 3)));

await lab.shutDown();
await lab.browser.close();
console.log(`${counted.passed} passed, ${counted.failed} failed`);
process.exit(counted.failed > 0 ? 1 : 0);
