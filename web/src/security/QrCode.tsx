import { encode } from 'uqr';

/** White modules around the code (ISO/IEC 18004, 6.3.8), and the least width of one, in pixels. */
const margin = 4;
const leastModule = 4;

/** A text as a QR code. It is dark on light in either theme: not every camera reads the opposite. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: margin });
  const width = Math.max(200, size * leastModule);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      width={width}
      height={width}
      shapeRendering="crispEdges"
      className="h-auto max-w-full rounded-md border border-line"
    >
      <path d={`M0 0h${size}v${size}h-${size}z`} fill="#fff" />
      <path d={outline(data)} fill="#000" />
    </svg>
  );
}

/** The dark modules as the path of an SVG, each run of a row a rectangle. */
function outline(rows: readonly (readonly boolean[])[]): string {
  const runs = rows.map((row, y) => {
    const dark = row.map((is) => (is ? '#' : ' ')).join('');
    return [...dark.matchAll(/#+/g)].map((run) => `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`);
  });
  return runs.flat().join('');
}
