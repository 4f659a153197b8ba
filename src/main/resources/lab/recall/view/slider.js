// A slider over heat maps: the picture is painted anew from numbers. Without this script the first picture stays as it is.
for (const box of document.querySelectorAll('.recall-slider:not([data-ready])')) {
  box.dataset.ready = '';
  box.dataset.lmSuppressShortcuts = 'true';
  const { title, what, from, to, stops, cell: [left, top, width, height], columns, values } = JSON.parse(box.dataset.frames);
  const image = box.querySelector('img');
  const areas = [...box.querySelectorAll('area')];
  const places = areas.map(a => a.title.slice(0, a.title.lastIndexOf(': ')));
  const first = new Image();
  first.src = image.src;
  const rgb = stops.map(s => [1, 3, 5].map(i => parseInt(s.slice(i, i + 2), 16)));
  const colour = v => {
    const u = (to > from ? Math.min(1, Math.max(0, (v - from) / (to - from))) : 0.5) * (rgb.length - 1);
    const i = Math.min(rgb.length - 2, Math.floor(u));
    return `rgb(${rgb[i].map((a, k) => Math.round(a + (rgb[i + 1][k] - a) * (u - i))).join(',')})`;
  };
  const input = Object.assign(document.createElement('input'), { type: 'range', min: 0, max: values.length - 1, value: 0, style: 'width:20em;vertical-align:middle' });
  input.setAttribute('aria-label', `${title}: ${what}`);
  const said = document.createElement('output');
  const show = async () => {
    const k = Number(input.value);
    said.textContent = ` ${what} ${k} of 0 to ${values.length - 1}`;
    input.setAttribute('aria-valuetext', `${what} ${k}`);
    await first.decode();
    if (Number(input.value) !== k) return;
    const canvas = Object.assign(document.createElement('canvas'), { width: first.naturalWidth, height: first.naturalHeight });
    const g = canvas.getContext('2d');
    g.drawImage(first, 0, 0);
    const scale = first.naturalWidth / Number(image.getAttribute('width'));
    g.scale(scale, scale);
    const numbers = values[k].split(' ');
    let most = -1;
    numbers.forEach((n, i) => {
      const x = left + i % columns * width, y = top + Math.floor(i / columns) * height;
      g.fillStyle = n === '–' ? '#eeeeee' : colour(Number(n));
      g.fillRect(x, y, width, height);
      if (n === '–') {
        g.strokeStyle = '#bbbbbb';
        g.lineWidth = 0.5;
        g.beginPath();
        g.moveTo(x, y + height);
        g.lineTo(x + width, y);
        g.stroke();
      } else if (most < 0 || Number(n) > Number(numbers[most])) {
        most = i;
      }
      if (areas[i]) areas[i].title = `${places[i]}: ${n === '–' ? 'nothing to average' : n}`;
    });
    g.strokeStyle = '#999999';
    g.lineWidth = 1;
    g.strokeRect(left, top, columns * width, numbers.length / columns * height);
    image.src = canvas.toDataURL();
    image.alt = `Heat map: ${title}, ${what} ${k}` + (most < 0 || !places[most] ? '' : `; largest: ${places[most]}: ${numbers[most]}`);
  };
  input.addEventListener('input', show);
  input.addEventListener('keydown', e => e.stopPropagation());
  box.querySelector('div').replaceChildren(input, said);
  said.textContent = ` ${what} 0 of 0 to ${values.length - 1}`;
}
