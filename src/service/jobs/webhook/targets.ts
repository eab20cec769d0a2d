/**
 * Which webhooks may be called: a client names an address, and the owner of the flow says which hosts it may be of. A host
 * whose name leads into a private network, as an attacker's may do, is not called unless the owner names that, too.
 */
import { BlockList, isIP } from 'node:net';
import { M2fpError } from '../../../errors.ts';

/** Longest address that is taken, characters. */
const MAX_LENGTH = 2048;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };

/** What the owner allows. */
export interface WebhookTargets {
  /** `https://host:port`, each with its port. */
  readonly origins: ReadonlySet<string>;
  /** Private addresses that names may lead to. */
  readonly networks: BlockList;
}

/** Addresses that are no public ones (IANA's special-purpose registries, RFC 6890). Of IPv6, all but 2000::/3 are not. */
const PRIVATE = blockList(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 ' +
    '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 ' +
    // Documentation, and two ways into IPv4 whose far end cannot be seen.
    '2001:db8::/32 3fff::/20 2001::/32 2002::/16',
);
const PUBLIC_V6 = blockList('2000::/3');

function blockList(networks: string): BlockList {
  const list = new BlockList();
  for (const network of networks.split(' ')) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/**
 * The list of a form: hosts that are called by https, `http://` before those that are called without; and networks such as
 * `10.1.0.0/16` that their names may lead to. Separated by commas, spaces or line ends.
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the entry that is none of these
 */
export function readTargets(text: string): WebhookTargets {
  const origins = new Set<string>();
  const networks = new BlockList();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const network = /^([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(entry);
    if (network) {
      addNetwork(networks, entry, network[1]!, Number(network[2]));
      continue;
    }
    const url = URL.parse(/^https?:\/\//i.test(entry) ? entry : `https://${entry}`);
    const isHost =
      url !== null && url.hostname !== '' && url.pathname === '/' && url.search + url.hash === '';
    if (!isHost || url.username + url.password !== '' || /[*]|:\/\/.*\/./.test(entry)) throw badEntry(entry);
    origins.add(originOf(url));
    // Who names an address, or this machine, means it.
    const host = hostOf(url);
    if (isIP(host) !== 0) networks.addAddress(host, familyOf(host));
    if (host === 'localhost') {
      networks.addSubnet('127.0.0.0', 8, 'ipv4');
      networks.addAddress('::1', 'ipv6');
    }
  }
  return { origins, networks };
}

function addNetwork(networks: BlockList, entry: string, address: string, bits: number): void {
  const family = isIP(address);
  if (family === 0 || bits > (family === 6 ? 128 : 32)) throw badEntry(entry);
  networks.addSubnet(address, bits, familyOf(address));
}

function badEntry(entry: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `Option "webhookHosts" has ${JSON.stringify(entry.slice(0, 80))}; allowed: hosts such as example.com or example.com:8443, ` +
      'http:// before one that is called without encryption, and networks such as 10.1.0.0/16.',
  );
}

function originOf(url: URL): string {
  return `${url.protocol}//${url.hostname}:${url.port || DEFAULT_PORTS[url.protocol]}`;
}

/** Without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/**
 * The address that a client named, where it may be called.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for any other
 */
export function checkWebhook(text: unknown, { origins, networks }: WebhookTargets): string {
  if (typeof text !== 'string') throw refused('must be the address of a web page, as a text');
  if (origins.size === 0) throw refused('cannot be used: the owner of this service allows no hosts');
  const url = text.length > MAX_LENGTH ? null : URL.parse(text);
  if (url === null || !(url.protocol in DEFAULT_PORTS))
    throw refused('must be an address that begins with https://');
  if (url.username + url.password !== '') throw refused('must not hold a user name or password');
  const host = hostOf(url);
  const isBlocked = isIP(host) !== 0 && !isAllowedAddress(host, networks);
  if (!origins.has(originOf(url)) || isBlocked) {
    throw refused(`is of a host that is not allowed: ${url.protocol}//${url.host.slice(0, 100)}`);
  }
  url.hash = '';
  return url.href;
}

function refused(why: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', `The webhook ${why}.`);
}

/** Whether a name may lead to this address. */
export function isAllowedAddress(address: string, networks: BlockList): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (networks.check(address, familyOf(address))) return true;
  if (PRIVATE.check(address, familyOf(address))) return false;
  return family === 4 || PUBLIC_V6.check(address, 'ipv6');
}
