namespace Platform.Gateway.Replication;

/// <summary>
/// The lock that whoever works on a cluster holds: the script and all processes that it starts. It is free when the last of them is gone.
/// </summary>
internal static class ClusterLock
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    /// <summary>The file of the lock in a data directory.</summary>
    public static string PathOf(string data) => Path.Combine(data, "lock");

    /// <summary>Waits until it is free. Throws <see cref="TimeoutException"/> with the sentence when it does not become free in time.</summary>
    public static async Task UntilFreeAsync(string path, TimeSpan patience, string otherwise, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        while (File.Exists(path) && !IsFree(path))
        {
            try
            {
                await Task.Delay(s_pause, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(otherwise);
            }
        }
    }

    private static bool IsFree(string path)
    {
        try
        {
            // Opened for itself alone: on Unix that takes the very lock.
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
