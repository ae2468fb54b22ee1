import { DARK_PALETTE, PALETTE } from '../curves.ts';

const variables = (colours: readonly string[], rest: string) =>
  `${colours.map((colour, i) => `--s${i}: ${colour};`).join(' ')} ${rest}`;

const LIGHT = variables(
  PALETTE,
  '--paper: #fff; --ink: #1f2328; --quiet: #59636e; --rule: #d1d9e0; --soft: #f6f8fa; --right: #2166ac; --wrong: #d1242f;',
);
const DARK = variables(
  DARK_PALETTE,
  '--paper: #0d1117; --ink: #e6edf3; --quiet: #9198a1; --rule: #3d444d; --soft: #151b23; --right: #4493f8; --wrong: #f85149;',
);

/** The looks of a report, on a bright screen, a dark one and on paper; no fonts or pictures from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 3rem) 3rem; max-width: 1500px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--rule) }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem }
.note, .lead { color: var(--quiet); margin: 0 0 .75rem; max-width: 75ch }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 150px), 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0 }
.figures div { background: var(--soft); border: 1px solid var(--rule); border-radius: 8px; padding: .6rem .8rem }
.figures dt { color: var(--quiet); font-size: .85rem }
.figures dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums }
.figures small { display: block; font-size: .8rem; font-weight: 400; color: var(--quiet) }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 1.25rem }
.plots.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr)) }
figure { margin: 0; min-width: 0 }
.plot figcaption { font-weight: 600; font-size: .9rem }
svg { display: block; width: 100%; height: auto }
svg text { font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums }
.plots.small svg text { font-size: 14px }
.scroll:has(.facts) { max-height: none }
.grid { stroke: var(--rule) } .axis { stroke: var(--quiet) }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }
.dot { fill: var(--s0) } .mark { fill: none; stroke: var(--s1); stroke-width: 2 }
${PALETTE.map((_, i) => `.line.s${i} { stroke: var(--s${i}) } .legend .s${i}::before { background: var(--s${i}) }`).join('\n')}
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: .1rem 0 0; padding: 0; font-size: .8rem; color: var(--quiet) }
.legend li::before { content: ""; display: inline-block; width: 1rem; height: 3px; margin-right: .4rem; vertical-align: middle }
.scroll { overflow: auto; max-width: 100%; max-height: 34rem; border: 1px solid var(--rule); border-radius: 8px; width: fit-content }
.scroll:focus-visible { outline: 2px solid var(--s0) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; overflow-wrap: normal }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid var(--rule); white-space: nowrap }
tbody tr:last-child > * { border-bottom: 0 }
thead th, thead td { background: var(--soft); position: sticky; top: 0 }
tbody th { font-weight: 500 }
table.facts th { white-space: normal; min-width: 7rem }
td.wrap { white-space: normal; overflow-wrap: anywhere; max-width: 70ch }
.number { text-align: right }
table.matrix th, table.matrix td { padding: .2rem .35rem; text-align: right; border: 0 }
table.matrix thead th { vertical-align: bottom; text-align: center }
table.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden; text-overflow: ellipsis }
table.matrix tbody th { position: sticky; left: 0; background: var(--soft); max-width: 9rem; overflow: hidden; text-overflow: ellipsis }
table.matrix tbody td { min-width: 2.6rem }
td.right { background: color-mix(in srgb, var(--right) var(--p), transparent) }
td.wrong { background: color-mix(in srgb, var(--wrong) var(--p), transparent) }
img { display: block; max-width: 100%; height: auto; border-radius: 4px }
img.tiny { width: 112px; image-rendering: pixelated }
img.matrix { image-rendering: pixelated; width: min(100%, 600px); margin-bottom: 1rem }
.examples { display: flex; flex-wrap: wrap; gap: 1rem }
.example { max-width: min(100%, 320px); font-size: .85rem; line-height: 1.35 }
.example:not(.several):has(.tiny) { width: 124px }
.example.several { max-width: 100%; flex: 1 1 560px; background: var(--soft); border: 1px solid var(--rule); border-radius: 8px; padding: .75rem }
.example figcaption { margin-top: .3rem }
.views { display: flex; flex-wrap: wrap; gap: .6rem }
.several .views > div { flex: 1 1 200px; max-width: 480px }
.several .views img { width: 100% }
.several span { color: var(--quiet); font-size: .8rem }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 0 2rem; align-items: start }
.columns > * { min-width: 0 }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em }
footer { margin-top: 3rem; color: var(--quiet); font-size: .85rem }
@page { margin: 14mm }
@media print {
  :root { color-scheme: light; ${LIGHT} }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  body { font-size: 10pt; padding: 0; max-width: none }
  .scroll { overflow: visible; max-height: none; border: 0 }
  thead th, thead td, table.matrix tbody th { position: static }
  .plots { grid-template-columns: repeat(2, 1fr) } .plots.small { grid-template-columns: repeat(3, 1fr) }
  figure, .figures, tr { break-inside: avoid } h2, h3, .note { break-after: avoid }
}
`;
