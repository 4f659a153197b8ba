// Tables sort by a click on a column's name, search, and show all rows. Without this script they are plain, the rest of the rows folded.
for (const box of document.querySelectorAll('.recall-table:not([data-ready])')) {
  box.dataset.ready = '';
  box.dataset.lmSuppressShortcuts = 'true';
  const body = box.querySelector('tbody');
  const few = body.rows.length;
  const rows = [...box.querySelectorAll('tbody > tr')];
  const fold = box.querySelector('details');
  if (fold) fold.remove();
  const plain = 'font:inherit;color:inherit;background:transparent;';
  const make = (tag, style, more) => Object.assign(document.createElement(tag), { style: plain + style }, more);
  let order = rows, isOpen = false, wanted = '';
  const search = make('input', 'border:1px solid;padding:2px 4px;margin-right:1em', { type: 'search', placeholder: 'search' });
  search.setAttribute('aria-label', 'search this table');
  const more = make('button', 'border:1px solid;padding:2px 6px;margin-right:1em;cursor:pointer', { type: 'button' });
  const said = make('span', '');
  said.setAttribute('role', 'status');
  const draw = () => {
    const found = wanted ? order.filter(r => r.textContent.toLowerCase().includes(wanted)) : order;
    const shown = wanted || isOpen ? found : found.slice(0, few);
    body.replaceChildren(...shown);
    more.hidden = few === rows.length || wanted !== '';
    more.textContent = isOpen ? `first ${few} rows` : `all ${rows.length} rows`;
    said.textContent = shown.length < rows.length ? `${shown.length} of ${rows.length} rows` : '';
  };
  search.addEventListener('input', () => { wanted = search.value.trim().toLowerCase(); draw(); });
  search.addEventListener('keydown', e => e.stopPropagation());
  more.addEventListener('click', () => { isOpen = !isOpen; draw(); });
  // a dash is no number, and stands last both ways
  const none = s => s === '' || s === '–';
  const heads = [...box.querySelectorAll('thead th')];
  heads.forEach((head, column) => {
    const cell = r => r.cells[column].textContent.trim();
    const numeric = rows.every(r => none(cell(r)) || /^[-+]?[.\d]/.test(cell(r)));
    const compare = (a, b) => numeric ? parseFloat(a) - parseFloat(b) : a.localeCompare(b, 'en', { numeric: true });
    const button = make('button', 'border:0;padding:0;cursor:pointer;font-weight:bold;text-align:inherit', { type: 'button',
      textContent: head.textContent, title: 'sort by this column' });
    const arrow = make('span', '');
    arrow.setAttribute('aria-hidden', 'true');
    button.append(arrow);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const turn = { ascending: 'descending', descending: 'none' }[head.getAttribute('aria-sort')] || 'ascending';
      heads.forEach(h => { h.removeAttribute('aria-sort'); h.querySelector('span').textContent = ''; });
      const sign = turn === 'ascending' ? 1 : -1;
      order = turn === 'none' ? rows : [...rows].sort((x, y) => {
        const a = cell(x), b = cell(y);
        return none(a) || none(b) ? none(a) - none(b) : sign * compare(a, b);
      });
      if (turn !== 'none') {
        head.setAttribute('aria-sort', turn);
        arrow.textContent = turn === 'ascending' ? ' ▲' : ' ▼';
      }
      draw();
    });
  });
  if (rows.length >= 10) {
    const bar = make('div', 'margin:4px 0');
    bar.append(search, more, said);
    box.prepend(bar);
  }
  draw();
}
