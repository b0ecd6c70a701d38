"""Style sheet of the HTML report, for light and dark screens and for paper."""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2128; --soft: #57606a; --rule: #d5dae0;
        --link: #0b5cad; --label: #35d0ff; --answer: #ff9f1c; --other: #ff6bd6; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15181d; --ink: #e4e7eb; --soft: #a5adb8; --rule: #3a414b; --link: #7db8f5; }
}
* { box-sizing: border-box; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; background: var(--ground); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; line-height: 1.2; }
h2 { margin-top: 3rem; padding-bottom: 0.2rem; border-bottom: 1px solid var(--rule); }
h3 { margin: 1.8rem 0 0.5rem; }
p, details { max-width: 52rem; }
.lead { color: var(--soft); margin-top: 0.3rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; padding: 0; list-style: none; }
.wide { overflow-x: auto; margin: 0.8rem 0 1.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 15px; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { padding: 0.25rem 1.2rem 0.25rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); vertical-align: bottom; }
th { font-weight: 600; } tbody th { font-weight: 400; } .wide tbody th { white-space: nowrap; }
.columns { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; align-items: flex-start; }
.columns table { max-width: 22.5rem; font-size: 14px; }
.number { text-align: right; }
.total tbody tr:last-child > * { font-weight: 600; }
details { margin: 0.5rem 0; } summary { cursor: pointer; color: var(--link); }
details p { font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
figure { margin: 0.8rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.5rem; padding: 0; margin: 0.8rem 0;
          list-style: none; }
.legend svg { width: 3rem; height: 1.1rem; vertical-align: -0.2rem; background: #333; border-radius: 3px; }
.gallery { --least: 15rem; display: grid; gap: 1rem;
           grid-template-columns: repeat(auto-fill, minmax(min(var(--least), 100%), 1fr)); }
.gallery.of-2 { --least: 22rem; } .gallery.of-3 { --least: 34rem; }
.gallery figure { margin: 0; }
.tiles { display: flex; gap: 0.3rem; }
.tiles svg { flex: 1 1 0; min-width: 0; height: auto; display: block; background: #333; }
svg path { fill: none; stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
svg .halo { stroke: #000; stroke-opacity: 0.55; }
svg .label { stroke: var(--label); } svg .answer { stroke: var(--answer); }
svg .other { stroke: var(--other); }
@media (max-width: 40rem) {
  .gallery { --least: 9rem; } figure { overflow-x: auto; }
  picture img { max-width: none; } /* a plot scrolls rather than shrink until nobody can read it */
}
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } nav { display: none; } }
"""
"""CSS of the page: no fonts, pictures or files from elsewhere."""
