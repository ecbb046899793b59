/**
 * Markdown is shown as elements, never as HTML of the user's.
 *
 * [Task]: T061
 */
import { render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { safeHref, toggleBox } from './commonmark';
import { Markdown } from './Markdown';

const ignore = () => undefined;

test('raw HTML is text', () => {
  const text = 'a <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n\n<b>c</b>';
  const { container } = render(<Markdown text={text} onToggle={ignore} />);
  expect(container.querySelector('img, script, b')).toBeNull();
  expect(container.textContent).toContain('<img src=x onerror=alert(1)>');
  expect(container.textContent).toContain('<script>alert(1)</script>');
});

test('a link opens apart, and what can run is none', () => {
  render(
    <Markdown
      text="[ok](https://example.org) [bad](javascript:alert(1)) ![pic](https://e.org/p.png)"
      onToggle={ignore}
    />,
  );
  const link = screen.getByRole('link', { name: 'ok' });
  expect(link.getAttribute('rel')).toContain('noopener');
  expect(link.getAttribute('href')).toBe('https://example.org');
  expect(screen.queryByRole('link', { name: 'bad' })).toBeNull();
  expect(screen.getByText(/bad/)).toBeTruthy();
  expect(document.querySelector('img')).toBeNull();
  expect(screen.getByRole('link', { name: 'pic' })).toBeTruthy();
});

test.each(['javascript:alert(1)', 'JAVASCRIPT:x', 'data:text/html,x', '//evil', '/today', 'vbscript:x', ''])(
  '%j is no address of a link',
  (href) => {
    expect(safeHref(href)).toBeUndefined();
  },
);

const list = '- [ ] one\n- [x] two\n  - [ ] two a\n\n```\n- [ ] code\n```\n\n1. [ ] three\n> - [ ] four\n';

test.each([
  [0, '- [x] one'],
  [1, '- [ ] two\n'],
  [2, '  - [x] two a'],
  [3, '1. [x] three'],
  [4, '> - [x] four'],
])('box %i alone is toggled', (n, part) => {
  const toggled = toggleBox(list, n);
  expect(toggled).toContain(part);
  expect(toggled).toHaveLength(list.length);
  expect(toggleBox(toggled, n)).toBe(list);
});

test('a box that is not there changes nothing', () => {
  expect(toggleBox(list, 5)).toBe(list);
  expect(toggleBox('no list', 0)).toBe('no list');
});

test('a click on a box tells its number, and code has none', async () => {
  const onToggle = vi.fn();
  render(<Markdown text={list} onToggle={onToggle} />);
  const boxes = screen.getAllByRole('checkbox');
  expect(boxes).toHaveLength(5);
  await userEvent.click(screen.getByRole('checkbox', { name: 'Box 4: three' }));
  expect(onToggle).toHaveBeenCalledExactlyOnceWith(3);
});
