// One pretend person with a phone, and what happens while they use a shop app: sessions of GA4 events in the native format. Pure and seeded; phones.ts calls it.
import type { EventsBatch, EventsEvent } from '../../schemas/generated/types.ts';
import type { Random } from './random.ts';

export type Phone = {
  /** Fields that hold for everything the phone sends. */
  batch: Omit<EventsBatch, 'events'>;
  sessions: number;
  isNew: boolean;
};

const MODELS = [
  { platform: 'ANDROID', brand: 'Google', model: 'Pixel 9', os: 'ANDROID', versions: ['15', '16'] },
  { platform: 'ANDROID', brand: 'Samsung', model: 'SM-S931B', os: 'ANDROID', versions: ['14', '15', '16'] },
  { platform: 'ANDROID', brand: 'Xiaomi', model: '2311DRK48G', os: 'ANDROID', versions: ['14', '15'] },
  { platform: 'IOS', brand: 'Apple', model: 'iPhone17,1', os: 'IOS', versions: ['18.6', '26.1'] },
  { platform: 'IOS', brand: 'Apple', model: 'iPhone15,4', os: 'IOS', versions: ['18.6', '26.0'] },
] as const;
const PLACES = [
  { language: 'ko-kr', country: 'South Korea', city: 'Seoul', zoneSeconds: 32_400 },
  { language: 'de-de', country: 'Germany', city: 'Hamburg', zoneSeconds: 3_600 },
  { language: 'en-us', country: 'United States', city: 'Austin', zoneSeconds: -21_600 },
  { language: 'pt-br', country: 'Brazil', city: 'Recife', zoneSeconds: -10_800 },
  { language: 'en-in', country: 'India', city: 'Pune', zoneSeconds: 19_800 },
] as const;
const SCREENS = ['Home', 'Search', 'Category', 'Product', 'Wishlist', 'Cart', 'Account'] as const;
const PRODUCTS = [
  { item_id: 'sku-lamp', item_name: 'Desk lamp', item_category: 'Lighting', price: 39.5 },
  { item_id: 'sku-mug', item_name: 'Mug', item_category: 'Kitchen', price: 12 },
  { item_id: 'sku-rug', item_name: 'Wool rug', item_category: 'Living', price: 149.99 },
  { item_id: 'sku-pen', item_name: 'Pen', item_category: 'Office', price: 2.75 },
] as const;
const PLANS = ['free', 'plus', 'pro'] as const;

export function makePhone(random: Random, number: number): Phone {
  const { platform, brand, model, os, versions } = random.pick(MODELS);
  const place = random.pick(PLACES);
  const isSignedIn = random.isOneIn(50);
  return {
    isNew: random.isOneIn(40),
    sessions: 1 + random.index(20),
    batch: {
      user_pseudo_id: random.uuid().replaceAll('-', ''),
      ...(isSignedIn ? { user_id: `user-${number + 1}` } : {}),
      platform,
      privacy_info: { analytics_storage: 'Yes', ads_storage: random.isOneIn(50) ? 'Yes' : 'No' },
      device: { category: 'mobile', mobile_brand_name: brand, mobile_model_name: model, operating_system: os, operating_system_version: random.pick(versions), language: place.language, time_zone_offset_seconds: place.zoneSeconds },
      geo: { country: place.country, city: place.city },
      app_info: { id: 'com.example.shop', version: random.pick(['4.1.0', '4.2.0', '4.2.1']), install_store: platform === 'IOS' ? 'iTunes' : 'com.android.vending' },
      user_properties: { plan: random.pick(PLANS), favourite_count: random.index(30) },
    },
  };
}

/** A session of at most `eventsMax` events that begins at `startMs`; at least one. */
export function makeSession(random: Random, phone: Phone, startMs: number, eventsMax: number): EventsEvent[] {
  const sessionId = Math.floor(startMs / 1_000);
  const sessionNumber = phone.sessions;
  phone.sessions += 1;
  let atMs = startMs;
  const events: EventsEvent[] = [];
  const add = (name: string, params: Record<string, unknown> = {}, more: Partial<EventsEvent> = {}): void => {
    if (events.length >= eventsMax) return;
    const event = {
      event_id: random.uuid(), event_name: name, event_timestamp: atMs * 1_000 + random.index(1_000),
      event_params: { ga_session_id: sessionId, ga_session_number: sessionNumber, ...params }, ...more,
    };
    events.push(event as EventsEvent);
    atMs += 200 + random.index(8_000);
  };
  if (phone.isNew) add('first_open', { previous_first_open_count: 0, system_app: 0 });
  phone.isNew = false;
  add('session_start', { engaged_session_event: 1 });
  for (let screens = 2 + random.index(5); screens > 0; screens -= 1) visitScreen(random, add);
  if (random.isOneIn(35)) buy(random, add);
  if (random.isOneIn(3)) add('app_exception', { fatal: 0, timestamp: atMs });
  add('user_engagement', { engagement_time_msec: Math.max(1, atMs - startMs) });
  return events;
}

type Add = (name: string, params?: Record<string, unknown>, more?: Partial<EventsEvent>) => void;

function visitScreen(random: Random, add: Add): void {
  const screen = random.pick(SCREENS);
  add('screen_view', { firebase_screen: screen, firebase_screen_class: `${screen}Activity`, engagement_time_msec: 100 + random.index(20_000) });
  if (screen === 'Search') add('search', { search_term: random.pick(['lamp', 'rug', 'geschenk', '머그컵']) });
  if (screen === 'Product') add('view_item', { currency: 'USD' }, { items: [itemOf(random)] });
}

function buy(random: Random, add: Add): void {
  const items = Array.from({ length: 1 + random.index(3) }, () => itemOf(random));
  const value = Math.round(items.reduce((sum, item) => sum + item.price * item.quantity, 0) * 100) / 100;
  add('add_to_cart', { currency: 'USD', value }, { items });
  add('begin_checkout', { currency: 'USD', value, ...(random.isOneIn(20) ? { coupon: 'SPRING' } : {}) }, { items });
  add('purchase', { currency: 'USD', value, transaction_id: `T${random.uuid().slice(0, 8)}` }, { items, ecommerce: { total_item_quantity: items.reduce((count, item) => count + item.quantity, 0), purchase_revenue_in_usd: value, purchase_revenue: value, unique_items: items.length } });
}

const itemOf = (random: Random) => ({ ...random.pick(PRODUCTS), quantity: 1 + random.index(3) });
