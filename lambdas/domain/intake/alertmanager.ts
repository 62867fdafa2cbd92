import * as z from 'zod';
import { oldestAlertSeconds, readAlerts } from './prometheus-alerts.ts';
import type { Source } from './raw-alarm.ts';
import { refusal } from './refusal.ts';

/** What tells version 4 of the webhook: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const WebhookBody = z.looseObject({ version: z.literal('4'), alerts: z.array(z.unknown()) });

/** Grouped alerts of a self-managed Alertmanager, by its webhook. */
export const alertmanager: Source = {
  id: 'alertmanager',
  oldestSeconds: oldestAlertSeconds,
  read(payload) {
    const parsed = WebhookBody.safeParse(payload);
    if (parsed.success) return readAlerts('alertmanager', parsed.data);
    const sentence = `this is no notification of an Alertmanager webhook, version 4: ${z.prettifyError(parsed.error)}`;
    return { alarms: [], refusals: [refusal('malformed', sentence)] };
  },
};
