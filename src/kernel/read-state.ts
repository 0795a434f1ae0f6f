// Everything that the outside may know of a director: the one door for the command line's readers, the
// API and metrics. Each of them takes the director and what is applied, undefined where nothing is.

export { readConnectionStates } from './read-connection-states.ts';
export {
  type GatewayIdentity,
  readGatewayIdentities,
  readGatewayStates,
} from './read-gateways.ts';
export { readRuleStates } from './read-rules.ts';
export { readServiceStates } from './read-services.ts';
export { readStatusState } from './read-status.ts';
