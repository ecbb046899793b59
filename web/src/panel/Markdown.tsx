/**
 * Markdown as elements. No HTML is ever made of text, so there is nothing to sanitise: an element comes from a token
 * that is known here, an address is checked, and everything else is text. Pictures are links: the page loads nothing
 * from elsewhere.
 */
import { Fragment, useMemo, type ReactNode } from 'react';
import { t } from '../text/details';
import { boxesOf, safeHref, tokensOf, type Token, type Tokens } from './commonmark';

/** Shows a text; `onToggle` is told the number of a box that is clicked, from 0. */
export function Markdown({ text, onToggle }: { text: string; onToggle: (box: number) => void }) {
  const [tokens, numbers] = useMemo(() => {
    const read = tokensOf(text);
    return [read, new Map(boxesOf(read).map((item, n) => [item, n]))];
  }, [text]);
  const boxes = { numbers, onToggle };
  return <div className="prose-notes wrap-anywhere">{draw(tokens, boxes)}</div>;
}

interface Boxes {
  /** The number of each item with a box. */
  numbers: ReadonlyMap<Tokens.ListItem, number>;
  onToggle: (box: number) => void;
}

function draw(tokens: readonly Token[] | undefined, boxes: Boxes): ReactNode {
  return tokens?.map((token, i) => <Fragment key={i}>{drawOne(token, boxes)}</Fragment>);
}

function drawOne(token: Token, boxes: Boxes): ReactNode {
  const inner = () => draw('tokens' in token ? token.tokens : undefined, boxes);
  switch (token.type) {
    case 'space':
    case 'def':
    case 'checkbox': // drawn with its item
      return null;
    case 'paragraph':
      return <p dir="auto">{inner()}</p>;
    case 'heading':
      return (
        <p dir="auto" role="heading" aria-level={Math.min(6, (token as Tokens.Heading).depth + 3)}>
          {inner()}
        </p>
      );
    case 'strong':
      return <strong>{inner()}</strong>;
    case 'em':
      return <em>{inner()}</em>;
    case 'del':
      return <del>{inner()}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'code':
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{inner()}</blockquote>;
    case 'hr':
      return <hr />;
    case 'br':
      return <br />;
    case 'list':
      return <List list={token as Tokens.List} boxes={boxes} />;
    case 'table':
      return <Table table={token as Tokens.Table} boxes={boxes} />;
    case 'link':
    case 'image': {
      const { href, text } = token as Tokens.Link | Tokens.Image;
      return <Link href={href}>{token.type === 'link' ? inner() : text || href}</Link>;
    }
    case 'text':
      return (token as Tokens.Text).tokens ? inner() : (token as Tokens.Text).text;
    case 'escape':
      return (token as Tokens.Escape).text;
    default:
      return token.raw; // HTML, and whatever the library may learn: as it was written
  }
}

function Link({ href, children }: { href: string; children: ReactNode }) {
  const safe = safeHref(href);
  if (!safe) return <>{children}</>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function List({ list, boxes }: { list: Tokens.List; boxes: Boxes }) {
  const items = list.items.map((item, i) =>
    item.task ? <TaskItem key={i} item={item} boxes={boxes} /> : <li key={i}>{draw(item.tokens, boxes)}</li>,
  );
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function TaskItem({ item, boxes }: { item: Tokens.ListItem; boxes: Boxes }) {
  const n = boxes.numbers.get(item) ?? 0;
  const label = item.text.split('\n')[0] ?? '';
  return (
    <li className="list-none">
      <input
        type="checkbox"
        checked={item.checked === true}
        aria-label={t.description.box(n + 1, label)}
        onChange={() => boxes.onToggle(n)}
        className="mr-2 -ml-5 size-4 translate-y-0.5"
      />
      {draw(item.tokens, boxes)}
    </li>
  );
}

function Table({ table, boxes }: { table: Tokens.Table; boxes: Boxes }) {
  return (
    <table>
      <thead>
        <tr>
          {table.header.map((cell, i) => (
            <th key={i}>{draw(cell.tokens, boxes)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{draw(cell.tokens, boxes)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
