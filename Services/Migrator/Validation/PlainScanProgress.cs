using System.Globalization;

namespace Platform.Migrator.Validation;

/// <summary>Progress for logs and pipes: a line for each collection, and one every few seconds in between.</summary>
internal sealed class PlainScanProgress(TextWriter output, TimeProvider time) : IScanProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private string _collection = "";
    private long _expected;
    private long _lastLine;

    public void Begin(string collection, long expected)
    {
        (_collection, _expected) = (collection, expected);
        _lastLine = time.GetTimestamp();
    }

    public void Advance(long documents)
    {
        if (time.GetElapsedTime(_lastLine) >= Interval)
        {
            _lastLine = time.GetTimestamp();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_collection}: {documents} of about {Math.Max(documents, _expected)} documents read"));
        }
    }

    public void End(ScanResult result) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{result.Collection}: {result.Documents} documents, {(result.Violating == 0 ? "all obey" : $"{result.Violating} break rules")}"));
}
