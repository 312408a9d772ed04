using System.Diagnostics;
using System.Globalization;

namespace Platform.AppHost.Settings;

/// <summary>What came of asking for a container runtime.</summary>
/// <param name="Program">The client of the runtime that answers: <c>docker</c> or <c>podman</c>; null when none does.</param>
/// <param name="Obstacle">Why an installed one does not, in a few words; null when none is installed, or one answers.</param>
internal sealed record ContainerRuntime(string? Program, string? Obstacle)
{
    /// <summary>How long an installed client may take to answer: the virtual machines of desktops wake up slowly.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // After so long without an answer it is said what is waited for.
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(2);

    // The client alone proves nothing: it is installed on machines where no runtime is at work.
    private static readonly (string Program, string Argument)[] s_questions = [("docker", "version"), ("podman", "info")];

    /// <summary>Whether a runtime answers.</summary>
    public bool Answers => Program is not null;

    /// <summary>For example <c>no container runtime answers (docker is installed, but is not running)</c>.</summary>
    public override string ToString() => this switch
    {
        { Program: { } program } => $"{program} answers",
        { Obstacle: { } obstacle } => $"no container runtime answers ({obstacle})",
        _ => "no container runtime answers",
    };

    /// <summary>
    /// Asks Docker and Podman at once, or the one that Aspire is told to use. The first that answers is taken.
    /// </summary>
    /// <param name="locate">The path of a program that is installed; null for one that is not.</param>
    /// <param name="wanted">The only one to ask; null or empty: both.</param>
    /// <param name="patience">How long an answer may take.</param>
    public static ContainerRuntime Find(Func<string, string?> locate, string? wanted, TimeSpan patience)
    {
        var asked = s_questions
            .Where(question => wanted is null or "" || question.Program.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            .Select(question => new Client(question.Program, locate(question.Program), question.Argument))
            .Where(client => client.Path is not null)
            .ToArray();
        return asked.Length == 0 ? new(Program: null, Obstacle: null) : AskAsync(asked, patience).GetAwaiter().GetResult();
    }

    private static async Task<ContainerRuntime> AskAsync(Client[] asked, TimeSpan patience)
    {
        using var enough = new CancellationTokenSource(patience);
        var answers = asked.Select(question => AskAsync(question, patience, enough.Token)).ToList();
        using var quiet = new CancellationTokenSource();
        var saying = SayAfterAsync(
            s_silence, $"Waiting for {string.Join(" or ", asked.Select(question => question.Program))} to answer.", quiet.Token);
        var obstacles = new List<string>();
        try
        {
            await foreach (var answer in Task.WhenEach(answers))
            {
                if (await answer is not { } obstacle)
                {
                    return new(asked[answers.IndexOf(answer)].Program, Obstacle: null);
                }

                obstacles.Add(obstacle);
            }

            return new(Program: null, string.Join("; ", obstacles));
        }
        finally
        {
            await quiet.CancelAsync();
            await saying;
            await enough.CancelAsync(); // ends who is still being asked
            await Task.WhenAll(answers);
        }
    }

    private sealed record Client(string Program, string? Path, string Argument);

    // Why it does not answer, or null when it does.
    private static async Task<string?> AskAsync(Client client, TimeSpan patience, CancellationToken enough)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(client.Path!, [client.Argument]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return $"{client.Program} cannot be started";
        }

        // Drained, so that a full pipe cannot block the client.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(enough);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return string.Create(CultureInfo.InvariantCulture, $"{client.Program} did not answer within {patience.TotalSeconds:0.#} s");
        }

        return process.ExitCode == 0 ? null : $"{client.Program} is installed, but is not running";
    }

    private static async Task SayAfterAsync(TimeSpan silence, string sentence, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(silence, cancellationToken);
            await Console.Out.WriteLineAsync(sentence);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It answered soon.
        }
    }
}
