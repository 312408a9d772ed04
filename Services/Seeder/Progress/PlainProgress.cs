using System.Globalization;

namespace Platform.Seeder.Progress;

/// <summary>One line per finished collection, and one every few seconds for a long one; for logs and pipes.</summary>
internal sealed class PlainProgress(TextWriter output, TimeProvider time) : ISeedProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private long _lastLine = time.GetTimestamp();

    public Task RunAsync(Func<Task> work) => work();

    public void Report(string collection, long written, long expected, bool finished)
    {
        lock (_gate)
        {
            if (!finished && time.GetElapsedTime(_lastLine) < Interval)
            {
                return;
            }

            _lastLine = time.GetTimestamp();
            output.WriteLine(finished
                ? string.Create(CultureInfo.InvariantCulture, $"{collection}: {written:N0} documents")
                : string.Create(CultureInfo.InvariantCulture, $"{collection}: {written:N0} of at most {expected:N0} documents"));
        }
    }
}
