using System.Diagnostics;
using System.Text.Json;

namespace Platform.MigrationWorker;

/// <summary>Migrators in processes of their own that all start at the same moment, round after round. One that was killed is replaced.</summary>
/// <param name="start">Starts a program that speaks the lines of the race.</param>
public sealed class RaceTeam(Func<ProcessStartInfo> start) : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly List<Process> _members = [];

    /// <summary>How to start our own.</summary>
    /// <param name="uri">The server.</param>
    public static ProcessStartInfo Ours(string uri) => new(Path.Combine(AppContext.BaseDirectory, "Platform.MigrationWorker"), ["race"])
    {
        Environment = { ["WORKER_URI"] = uri },
    };

    /// <summary>Runs a round.</summary>
    /// <param name="members">How many migrators.</param>
    /// <param name="line">What they are told to prepare.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>What each said that lived.</returns>
    public async Task<IReadOnlyList<RaceAnswer>> RunAsync(int members, string line, CancellationToken cancellationToken)
    {
        await FillAsync(members, cancellationToken);
        await Task.WhenAll(_members.Select(async member =>
        {
            await member.StandardInput.WriteLineAsync(line);
            await ExpectAsync(member, "set", cancellationToken);
        }));
        foreach (var member in _members)
        {
            await member.StandardInput.WriteLineAsync("go");
        }

        var answers = await Task.WhenAll(_members.Select(member => ReadAsync(member, cancellationToken)));
        return [.. answers.OfType<string>().Select(answer => JsonSerializer.Deserialize<RaceAnswer>(answer["done ".Length..])!)];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            member.StandardInput.Close(); // the end of its input is the end of it
            if (!member.HasExited)
            {
                await member.WaitForExitAsync();
            }

            member.Dispose();
        }
    }

    private async Task FillAsync(int members, CancellationToken cancellationToken)
    {
        foreach (var dead in _members.Where(member => member.HasExited).ToList())
        {
            _members.Remove(dead);
            dead.Dispose();
        }

        var added = new List<Process>();
        while (_members.Count < members)
        {
            var information = start();
            information.RedirectStandardInput = true;
            information.RedirectStandardOutput = true;
            var process = Process.Start(information) ?? throw new InvalidOperationException($"{information.FileName} did not start.");
            process.StandardInput.AutoFlush = true;
            _members.Add(process);
            added.Add(process);
        }

        await Task.WhenAll(added.Select(member => ExpectAsync(member, "ready", cancellationToken)));
    }

    private static async Task ExpectAsync(Process member, string word, CancellationToken cancellationToken)
    {
        var line = await ReadAsync(member, cancellationToken);
        if (line != word)
        {
            throw new InvalidOperationException($"A migrator was to say '{word}' and said '{line ?? "nothing"}'.");
        }
    }

    // Null when it was killed.
    private static async Task<string?> ReadAsync(Process member, CancellationToken cancellationToken)
    {
        var line = await member.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(s_patience, cancellationToken);
        if (line is null)
        {
            await member.WaitForExitAsync(cancellationToken);
        }

        return line;
    }
}
