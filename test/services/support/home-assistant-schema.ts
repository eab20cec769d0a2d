/**
 * What Home Assistant's MQTT integration accepts as the discovery of a device, of the platforms that the example has:
 * https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and the pages of binary_sensor, sensor and
 * image. It refuses a message with a key that it does not know on the level of the device, and ignores it in a component;
 * here both are an error.
 */
const TEXT = { type: 'string', minLength: 1 };
const TOPIC = { type: 'string', minLength: 1, pattern: '^[^+#\\u0000]+$' };

/** What each component of any platform may have. */
const ENTITY = {
  unique_id: TEXT,
  name: { type: ['string', 'null'] },
  icon: { type: 'string', pattern: '^[a-z]+:[a-z0-9-]+$' },
  json_attributes_topic: TOPIC,
  json_attributes_template: TEXT,
  entity_category: { enum: ['config', 'diagnostic'] },
};
const VALUE = { state_topic: TOPIC, value_template: TEXT, expire_after: { type: 'integer', minimum: 0 } };

const component = (platform: string, properties: object, required: string[]): object => ({
  type: 'object',
  additionalProperties: false,
  // Without an id of its own it belongs to no device.
  required: ['platform', 'unique_id', ...required],
  properties: { platform: { const: platform }, ...ENTITY, ...properties },
});

export const DEVICE_DISCOVERY = {
  type: 'object',
  additionalProperties: false,
  required: ['device', 'origin', 'components'],
  properties: {
    device: {
      type: 'object',
      additionalProperties: false,
      required: ['identifiers'],
      properties: {
        identifiers: { type: 'array', minItems: 1, items: TEXT },
        name: TEXT,
        manufacturer: TEXT,
        model: TEXT,
        sw_version: TEXT,
        suggested_area: TEXT,
        configuration_url: { type: 'string', pattern: '^(https?|homeassistant)://' },
      },
    },
    origin: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { name: TEXT, sw_version: TEXT, support_url: { type: 'string', pattern: '^https?://' } },
    },
    availability: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['topic'],
        properties: {
          topic: TOPIC,
          payload_available: TEXT,
          payload_not_available: TEXT,
          value_template: TEXT,
        },
      },
    },
    availability_mode: { enum: ['all', 'any', 'latest'] },
    state_topic: TOPIC,
    qos: { enum: [0, 1, 2] },
    components: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^[a-zA-Z0-9_-]+$' },
      additionalProperties: {
        oneOf: [
          component(
            'binary_sensor',
            {
              ...VALUE,
              payload_on: TEXT,
              payload_off: TEXT,
              off_delay: { type: 'integer' },
              device_class: { enum: ['occupancy', 'presence', 'motion'] },
            },
            ['value_template'],
          ),
          component(
            'sensor',
            {
              ...VALUE,
              device_class: TEXT,
              state_class: { enum: ['measurement', 'total', 'total_increasing'] },
              unit_of_measurement: TEXT,
            },
            ['value_template'],
          ),
          component(
            'image',
            { image_topic: TOPIC, content_type: TEXT, image_encoding: { const: 'b64' }, url_topic: TOPIC },
            ['image_topic'],
          ),
        ],
      },
    },
  },
};
