import { buildApp } from './build-app.ts';
import { addSecurityRules } from './security-rules.ts';
import { SettingsError } from './settings.ts';
import { synthesizeWithinLimits, TemplateTooLargeError } from './template-limits.ts';

try {
  const app = buildApp();
  addSecurityRules(app);
  synthesizeWithinLimits(app);
} catch (error) {
  // Whoever wrote the settings needs what is wrong with them, not our stack trace.
  if (!(error instanceof SettingsError || error instanceof TemplateTooLargeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
