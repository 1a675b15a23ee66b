#include "guard.h"
#include "lookup.h"

using namespace ffc;

extern "C" {

ffc_status ffc_stream_create(ffc_context context, ffc_stream* stream, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(stream, Kind::stream);
    auto object = std::make_shared<StreamObject>();
    object->device = handles().get<ContextObject>(context)->device;
    object->part = object->device->createStream();
    publish(std::move(object), stream);
  });
}

ffc_status ffc_stream_destroy(ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] { destroy<StreamObject>(stream); });
}

ffc_status ffc_stream_synchronize(ffc_context context, ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] {
    std::shared_ptr<Device> device;  // must live until the wait is over
    std::shared_ptr<Stream> waited;
    if (stream != 0) {
      const auto object = handles().get<StreamObject>(stream);
      device = object->device;
      waited = object->part;
      if (context != 0)
        checkSameContext(handles().get<ContextObject>(context)->device.get(), device.get(), "the stream",
                         "the one it was asked for with");
    } else {
      device = handles().get<ContextObject>(context)->device;
      waited = device->defaultStream();
    }
    waited->synchronize();
  });
}

ffc_status ffc_event_create(ffc_context context, ffc_event* event, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(event, Kind::event);
    auto object = std::make_shared<EventObject>();
    object->device = handles().get<ContextObject>(context)->device;
    object->part = object->device->createEvent();
    publish(std::move(object), event);
  });
}

ffc_status ffc_event_destroy(ffc_event event, ffc_error* error) {
  return guarded(error, [&] { destroy<EventObject>(event); });
}

ffc_status ffc_event_record(ffc_event event, ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] {
    const auto object = handles().get<EventObject>(event);
    object->part->record(streamOf(stream, object->device, "the event"));
  });
}

ffc_status ffc_event_synchronize(ffc_event event, ffc_error* error) {
  return guarded(error, [&] { handles().get<EventObject>(event)->part->synchronize(); });
}

ffc_status ffc_event_elapsed_ms(ffc_event begin, ffc_event end, double* milliseconds, ffc_error* error) {
  return guarded(error, [&] {
    required(milliseconds, "milliseconds");
    const auto first = handles().get<EventObject>(begin), last = handles().get<EventObject>(end);
    checkSameContext(first->device.get(), last->device.get(), "the end event", "the begin event");
    *milliseconds = last->part->elapsedMsSince(*first->part);
  });
}

}  // extern "C"
