/** The icons: strokes on a grid of 20, drawn for docket. */
const paths = {
  today: 'M4 5.5h12v11H4zM4 8.7h12M7 3.5v3M13 3.5v3M10 12.7h.01',
  upcoming: 'M4 5.5h12v11H4zM4 8.7h12M7 3.5v3M13 3.5v3M8.6 10.7l2 2-2 2',
  all: 'M4 5.5h12M4 10h12M4 14.5h8',
  done: 'M16.5 10a6.5 6.5 0 1 1-3-5.5M7.3 9.4l2.5 2.5 6.4-6.6',
  tag: 'M3.8 4.3h5.6l6.9 6.9-5.1 5.1-7.4-7.2zM7 7.4h.01',
  plus: 'M10 4.5v11M4.5 10h11',
  repeat:
    'M4.5 9.2A4 4 0 0 1 8.4 6h7M13 3.6 15.4 6 13 8.4M15.5 10.8a4 4 0 0 1-3.9 3.2h-7M7 11.6 4.6 14 7 16.4',
  bell: 'M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5l1.2 1.2H4.3zM8.6 16.8h2.8',
  note: 'M5 6h10M5 10h10M5 14h6',
  check: 'M5.4 10.3l3 3 6.2-6.6',
  clock: 'M10 3.8a6.2 6.2 0 1 0 0 12.4 6.2 6.2 0 0 0 0-12.4M10 6.8V10l2.2 1.6',
  flag: 'M5.5 16.5v-12M5.5 5h9l-2 3 2 3h-9',
  search: 'M9 4.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6M12.6 12.6l3.4 3.4',
  close: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  person: 'M10 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6M4.5 16.3a5.6 5.6 0 0 1 11 0',
  back: 'M12 5l-5 5 5 5',
  forward: 'M8 5l5 5-5 5',
  trash: 'M4.5 6h11M8 6V4.2h4V6M6 6l.7 10h6.6L14 6M8.7 8.8v4.6M11.3 8.8v4.6',
  pencil: 'M4.5 15.5l.8-3.4 8-8 2.6 2.6-8 8zM11.6 5.8l2.6 2.6',
  link: 'M8.5 11.5l3-3M9 6.5l1.6-1.6a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5l-1.6 1.6a3.2 3.2 0 0 1-4.5-4.5L6.5 9',
  undo: 'M7.5 5 4.5 8l3 3M4.8 8h6.7a4 4 0 0 1 0 8H8',
  activity: 'M3.5 10.5h3l2-5.5 3.2 10 2-4.5h2.8',
  gear: 'M10 7.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M10 3.5v2M10 14.5v2M3.5 10h2M14.5 10h2M5.4 5.4l1.4 1.4M13.2 13.2l1.4 1.4M5.4 14.6l1.4-1.4M13.2 6.8l1.4-1.4',
  key: 'M7 8.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M9.3 9.4l6.2-5.4M13 6.2l2 2.2',
  panel: 'M4 4.5h12v11H4zM12 4.5v11',
  select: 'M4.5 4.5h11v11h-11zM7 10.2l2.2 2.2 4-4.6',
  filter: 'M4 6h12M6.5 10h7M9 14h2',
  up: 'M10 15.5v-11M5.5 9l4.5-4.5L14.5 9',
  down: 'M10 4.5v11M5.5 11l4.5 4.5 4.5-4.5',
  cloud: 'M6 14.8h7.6a2.9 2.9 0 0 0 .3-5.8 4.2 4.2 0 0 0-8-.6A3.2 3.2 0 0 0 6 14.8M4 4l12 12.6',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, className = 'size-5' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
