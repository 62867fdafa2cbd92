/**
 * Waits until the question is over, and then says so in place of the buttons. What somebody has typed until then stays.
 * Without scripts, a reload says the same.
 */
export const script = `
(async () => {
  const over = (text) => {
    const status = document.getElementById('status');
    const decision = document.getElementById('decision');
    const had = decision !== null && decision.contains(document.activeElement);
    decision?.remove();
    document.getElementById('refusal')?.remove();
    status.textContent = text;
    document.title = text;
    if (had) status.focus();
  };
  for (let failures = 0; failures < 4; ) {
    try {
      const answer = await fetch('state', { cache: 'no-store' });
      if (!answer.ok) throw new Error();
      const { open, text } = await answer.json();
      failures = 0;
      if (!open) return over(text);
    } catch {
      failures += 1;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
  over('The run has ended: nothing can be decided here any more.');
})();
`;
