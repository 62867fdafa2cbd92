import { buildApp } from './build-app.ts';
import { addSecurityRules } from './security-rules.ts';
import { SettingsError } from './settings.ts';

try {
  const app = buildApp();
  addSecurityRules(app);
  app.synth();
} catch (error) {
  // Whoever wrote the settings needs the list of what is wrong with them, not our stack trace.
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
