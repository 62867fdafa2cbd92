import { oldestAlertSeconds, readAlerts } from './prometheus-alerts.ts';
import type { Source } from './raw-alarm.ts';
import { quoted, refusal } from './refusal.ts';

/**
 * Alerts of Amazon Managed Service for Prometheus: the text of an SNS message. Its alert manager sends plain text unless a template
 * makes JSON of it: https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-JSON.html
 */
export const amp: Source = {
  id: 'amp',
  oldestSeconds: oldestAlertSeconds,
  read(payload) {
    if (typeof payload !== 'string') {
      return {
        alarms: [],
        refusals: [refusal('malformed', 'the message of Amazon Managed Prometheus is no text')],
      };
    }
    let message: unknown;
    try {
      message = JSON.parse(payload);
    } catch {
      const sentence = `the message of Amazon Managed Prometheus is no JSON: use the template in prometheus/amp-alertmanager.yaml; it begins with ${quoted(payload.trim())}`;
      return { alarms: [], refusals: [refusal('malformed', sentence)] };
    }
    return readAlerts('amp', message);
  },
};
