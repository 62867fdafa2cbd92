import { styles as reportStyles } from '../report-styles.ts';

/** The look of the report, with what is needed to decide. Nothing moves. */
export const styles = `${reportStyles}
:root { --edge: #67727a; --focus: #0b57d0; --approve: #1f7a4d; --deny: #b02a37; }
@media (prefers-color-scheme: dark) { :root { --edge: #8d989f; --focus: #8ab4f8; } }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; }
#status:focus { outline: 3px solid var(--focus); outline-offset: 3px; }
#status, #refusal { font-weight: 600; overflow-wrap: anywhere; }
#refusal { border: 2px solid var(--deny); border-radius: .4rem; padding: .6rem .8rem; }
.lines p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.lines { margin: .6rem 0; }
dl { grid-template-columns: fit-content(30%) minmax(0, 1fr); }
dt { overflow-wrap: anywhere; }
dt, dd { unicode-bidi: isolate; }
summary { cursor: pointer; padding: .6rem 0; font-weight: 600; }
form { margin: 1rem 0; }
label { display: block; margin-bottom: .3rem; }
textarea { display: block; width: 100%; min-height: 5rem; padding: .5rem; font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--edge); border-radius: .3rem; margin-bottom: .6rem; }
button { min-height: 2.75rem; min-width: 8rem; padding: .5rem 1.2rem; font: inherit; font-weight: 600; color: #fff; border: 1px solid var(--edge); border-radius: .3rem; cursor: pointer; }
.approve { background: var(--approve); }
.deny { background: var(--deny); }
@media (max-width: 40rem) { button { width: 100%; } dl { grid-template-columns: minmax(0, 1fr); } }
`;
