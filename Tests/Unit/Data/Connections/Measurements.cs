using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Platform.Tests.Unit.Data.Connections;

/// <summary>What one meter measures. Listeners hear the whole process, so others' meters are left out by identity.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Measured> _measured = new();

    public Measurements(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == meter)
            {
                Instruments[instrument.Name] = instrument;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    public ConcurrentDictionary<string, Instrument> Instruments { get; } = new();

    /// <summary>What an instrument measured so far, one "attribute=value,..." per measurement.</summary>
    public IReadOnlyList<Measured> Of(string name) => [.. _measured.Where(measured => measured.Name == name)];

    /// <summary>Asks the instruments that are read on demand, and gives the value with this attribute.</summary>
    public double Read(string name, string attribute = "")
    {
        _measured.Clear();
        _listener.RecordObservableInstruments();
        return Of(name).Single(measured => measured.Attributes.Contains(attribute, StringComparison.Ordinal)).Value;
    }

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _measured.Enqueue(new Measured(
            instrument.Name, value, string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal))));

    internal sealed record Measured(string Name, double Value, string Attributes);
}
