/* Makes tables sortable and gives long ones a filter. The page is whole without it. */
'use strict';
(() => {
  const valueOf = (cell) => {
    const shown = cell.textContent.trim();
    const number = Number(shown.replace(/,/g, '').replace(/\u2212/g, '-'));
    if (shown === '\u2013' || shown === '') return null;
    return cell.classList.contains('number') && !Number.isNaN(number) ? number : shown;
  };
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b
    : String(a).localeCompare(String(b), 'en', { numeric: true }));

  const sortBy = (table, column, direction) => {
    const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row.cells[column]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // nothing stands last either way
      return direction * compare(a, b);
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      if (place === column) head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
      else head.removeAttribute('aria-sort');
    });
  };

  for (const table of document.querySelectorAll('table[data-sort]')) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      button.addEventListener('click', () => {
        // Numbers are asked for largest first, names from A.
        const first = head.classList.contains('number') ? -1 : 1;
        const now = { ascending: 1, descending: -1 }[head.getAttribute('aria-sort')];
        sortBy(table, column, now ? -now : first);
      });
      head.append(button);
    });
  }

  for (const table of document.querySelectorAll('table[data-filter]')) {
    const caption = table.caption.querySelector('.name').textContent;
    const box = document.createElement('input');
    box.type = 'search';
    box.placeholder = 'Filter rows';
    box.setAttribute('aria-label', `Filter rows of ${caption}`);
    const told = document.createElement('output');
    box.addEventListener('input', () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const content = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => content.includes(word));
        shown += !row.hidden;
      }
      told.textContent = words.length ? `${shown} shown` : '';
    });
    const bar = document.createElement('div');
    bar.className = 'filter';
    bar.append(box, told);
    table.parentElement.before(bar);
  }
})();
