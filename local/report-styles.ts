/** The look of the report: light and dark, down to the width of a telephone. */
export const styles = `
:root { color-scheme: light dark; --text: #1d2327; --muted: #5b666e; --back: #fff; --line: #d8dee2; --soft: #f4f6f7; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ea; --muted: #9aa6ad; --back: #14181b; --line: #333c42; --soft: #1d2327; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
.summary { font-size: 1.15rem; }
.banner { border: 2px solid #b7791f; border-radius: .4rem; padding: .6rem .8rem; background: color-mix(in srgb, #b7791f 12%, var(--back)); }
.outcome { padding: .1em .5em; border-radius: .3em; color: #fff; background: #5b666e; }
.outcome.cured { background: #1f7a4d; }
.outcome.relieved, .outcome.observed { background: #2b6cb0; }
.outcome.unresolved, .outcome.expired, .outcome.void { background: #975a16; }
.outcome.failed { background: #b02a37; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
thead th, time { white-space: nowrap; }
.numbers td { font-size: 1.3rem; }
.bar, .bar meter { width: 40%; min-width: 5rem; }
.bar meter { width: 100%; }
.wide { overflow-x: auto; }
article { background: var(--soft); border-radius: .4rem; padding: .2rem .8rem .8rem; margin: .8rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; font-size: .85rem; }
footer { margin-top: 2rem; color: var(--muted); font-size: .9rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
`;
