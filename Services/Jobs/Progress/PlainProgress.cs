using System.Globalization;

namespace Platform.Jobs.Progress;

/// <summary>One line for each finished collection, and one every few seconds for a long one; for logs and pipes.</summary>
/// <param name="output">Where the lines go.</param>
/// <param name="verb">What is done to the documents, as a participle.</param>
/// <param name="time">The clock.</param>
internal sealed class PlainProgress(TextWriter output, string verb, TimeProvider time) : IJobProgress
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private long _lastLine = time.GetTimestamp();

    public Task RunAsync(Func<Task> work) => work();

    public void Report(string collection, long done, long expected)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_lastLine) >= s_interval)
            {
                Write($"{collection}: {done:N0} of {Math.Max(done, expected):N0} documents {verb}");
            }
        }
    }

    public void Finish(string collection, long done, string? outcome = null)
    {
        lock (_gate)
        {
            Write($"{collection}: {done:N0} documents{(outcome is null ? $" {verb}" : $", {outcome}")}");
        }
    }

    private void Write(FormattableString line)
    {
        _lastLine = time.GetTimestamp();
        output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
