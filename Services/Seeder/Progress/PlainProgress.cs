using System.Globalization;

namespace Platform.Seeder.Progress;

/// <summary>One line per finished collection, and one every few seconds for a long one; for logs and pipes.</summary>
/// <param name="output">Where the lines go.</param>
/// <param name="verb">What is done to the documents, as a participle.</param>
/// <param name="time">The clock.</param>
internal sealed class PlainProgress(TextWriter output, string verb, TimeProvider time) : ISeedProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private long _lastLine = time.GetTimestamp();

    public Task RunAsync(Func<Task> work) => work();

    public void Report(string collection, long done, long expected, bool finished)
    {
        lock (_gate)
        {
            if (!finished && time.GetElapsedTime(_lastLine) < Interval)
            {
                return;
            }

            _lastLine = time.GetTimestamp();
            output.WriteLine(finished
                ? string.Create(CultureInfo.InvariantCulture, $"{collection}: {done:N0} documents {verb}")
                : string.Create(CultureInfo.InvariantCulture, $"{collection}: {done:N0} of {expected:N0} documents {verb}"));
        }
    }
}
