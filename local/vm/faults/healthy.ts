import { dyingBelow, type Fault } from './fault.ts';

export const healthy: Fault = {
  about: 'nothing is wrong with it',
  symptom: dyingBelow(),
  make: async () => {},
  end: async () => {},
};
