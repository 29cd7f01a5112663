DROP TABLE geocoder_throttle;
DROP TABLE location_cache;
