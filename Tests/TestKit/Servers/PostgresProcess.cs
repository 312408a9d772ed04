using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>PostgreSQL with the DocumentDB extension, started by the script that the app graph uses.</summary>
internal sealed partial class PostgresProcess : IAsyncDisposable
{
    private const int KillAtOnce = 9;

    private readonly string _data;

    private PostgresProcess(ServerProcess process, string data, string sockets)
    {
        Process = process;
        _data = data;
        ConnectionString = $"Host={sockets};Username=postgres;Database=postgres";
    }

    /// <summary>How to reach it.</summary>
    public string ConnectionString { get; }

    /// <summary>Its process.</summary>
    public ServerProcess Process { get; }

    /// <summary>Starts it on the data in a directory and waits until it takes connections.</summary>
    public static async Task<PostgresProcess> StartAsync(DirectoryInfo directory, CancellationToken cancellationToken)
    {
        var (data, sockets) = (Path.Combine(directory.FullName, "data"), Path.Combine(directory.FullName, "s"));
        var process = ServerProcess.Start(ServerImage.Script("postgres"), [ServerImage.Directory, data, sockets], []);
        var postgres = new PostgresProcess(process, data, sockets);
        try
        {
            await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Pooling=false");
            await process.UntilAsync(() => AcceptsAsync(source, cancellationToken), cancellationToken);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Kills it at once: no good-bye to anyone and nothing written down. Returns when none of its processes is left, since a new server
    /// does not start beside remains of the old one.
    /// </summary>
    public async Task KillAsync()
    {
        // The server's own number is the first line; it has no pid namespace of its own.
        var server = int.Parse((await File.ReadAllLinesAsync(Path.Combine(_data, "cluster", "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        int[] workers =
        [
            .. (await File.ReadAllTextAsync($"/proc/{server}/task/{server}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)),
        ];
        Assert.NotEmpty(workers);
        Assert.Equal(0, Kill(server, KillAtOnce));
        foreach (var worker in workers)
        {
            // Most of them see that their server is gone; pg_cron's launcher may run in circles instead.
            _ = Kill(worker, KillAtOnce);
        }

        await Process.UntilEndedAsync();
        await Wait.UntilAsync(() => !workers.Any(IsAlive), "no process of PostgreSQL outlives its server", CancellationToken.None);
    }

    /// <summary>Shuts it down in good order.</summary>
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static async Task<bool> AcceptsAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            // While it starts, refusing connections is its answer.
            return false;
        }
    }

    // A zombie holds nothing any more; somebody has yet to ask for its exit code.
    private static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadLines($"/proc/{pid}/status")
                .Any(line => line.StartsWith("State:", StringComparison.Ordinal) && line.Contains('Z', StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
