using System.CommandLine;
using System.Globalization;
using Platform.Jobs;
using Platform.SecurityTool.Stack;

namespace Platform.SecurityTool.Secrets;

/// <summary>The command line of a checkout's secrets.</summary>
internal static class SecretCommands
{
    private const string Name = "secrets";

    // The stack file of a stack that runs.
    private const string StackVariable = "Secrets__StackFile";

    // As the AppHost wrote them down.
    private static readonly string[] s_variables =
        ["Secrets__UserFile", "Secrets__Data", "Secrets__PassPhraseFile", "Secrets__AuditKeys", "Secrets__MasterKeys"];

    /// <summary>The command <c>secrets</c>.</summary>
    public static Command Create()
    {
        var list = new Command("list", "Every generated secret: what it is for, who reads it, its file, mode and age. Never a value.") { JobCommandLine.Json };
        list.SetAction((parsed, cancellationToken) => WithStoreAsync(store =>
        {
            var report = new SecretReport(store.List());
            return Task.FromResult(JobReport.Print(report, parsed.GetValue(JobCommandLine.Json), Print, report.IsGood));
        }));

        var name = new Argument<string>("NAME") { Description = "The secret, as 'list' names it." };
        var rotate = new Command(
            "rotate", "Replaces a secret: on a stopped stack at the next start, and the password of a program while the stack runs.") { name };
        rotate.SetAction((parsed, cancellationToken) => WithStoreAsync(store => RotateAsync(store, parsed.GetValue(name)!, cancellationToken)));

        return new Command(Name, "The secrets that this checkout has generated.") { list, rotate.Audited("secretRotate") };
    }

    private static async Task<int> RotateAsync(SecretStore store, string name, CancellationToken cancellationToken)
    {
        var secret = SecretCatalogue.All.FirstOrDefault(known => known.Name == name);
        if (secret is null)
        {
            Console.Error.WriteLine(
                $"{Name}: There is no secret '{Printable.Of(name)}' that the platform generates: '{Name} list' has those that there are.");
            return ExitCodes.Usage;
        }

        if (secret.Rotation is null)
        {
            Console.Error.WriteLine($"{Name}: {name} cannot be rotated. {secret.Obstacle}");
            return ExitCodes.Refused;
        }

        if (Environment.GetEnvironmentVariable(StackVariable) is { Length: > 0 } stackFile)
        {
            return await RotateLiveAsync(store, secret, stackFile, cancellationToken);
        }

        if (!store.Remove(secret))
        {
            Console.Error.WriteLine($"{Name}: {name} is not there: the next start that needs it makes it.");
            return ExitCodes.Refused;
        }

        Console.Out.WriteLine($"{name} is taken away. {secret.Rotation}");
        return ExitCodes.Success;
    }

    private static async Task<int> RotateLiveAsync(SecretStore store, GeneratedSecret secret, string stackFile, CancellationToken cancellationToken)
    {
        if (secret.Login is not { } login)
        {
            return Refuse(
                $"The stack is running, and {secret.Name} is read at a start alone: './platform stop' ends it, then it can be replaced.");
        }

        var file = store.PasswordFileOf(secret);
        if (!File.Exists(file.Path))
        {
            return Refuse($"No program of the running stack has {secret.Name}: there is no {file.Path}.");
        }

        using var only = store.TryLock();
        if (only is null)
        {
            return Refuse("A secret is being replaced already: wait for it to end.");
        }

        try
        {
            var stack = RunningStack.Read(stackFile, new());
            IRotatedServer server = login.IsRedis ? new RedisUser(stack, login.User) : new MongoUser(stack, login.User);
            var wasBegun = await new Rotation(file, () => store.Find(secret), value => store.Set(secret, value), server, TimeProvider.System)
                .RunAsync(cancellationToken);
            Console.Out.WriteLine(
                $"{secret.Name} is replaced{(wasBegun ? ", which had been begun before" : "")}. Programs that run use the new one, and the old one is "
                    + "refused.");
            return ExitCodes.Success;
        }
        catch (RotationException exception)
        {
            Console.Error.WriteLine(
                $"{Name}: {exception.Message} Nothing fails for it: programs know both passwords. The same command goes on from there.");
            return ExitCodes.Failure;
        }

        static int Refuse(string sentence)
        {
            Console.Error.WriteLine($"{Name}: {sentence}");
            return ExitCodes.Refused;
        }
    }

    private static async Task<int> WithStoreAsync(Func<SecretStore, Task<int>> act)
    {
        var values = s_variables.Select(Environment.GetEnvironmentVariable).ToList();
        if (values.FindIndex(string.IsNullOrEmpty) is >= 0 and var missing)
        {
            await Console.Error.WriteLineAsync($"{Name}: {s_variables[missing]} is not set.");
            return ExitCodes.Configuration;
        }

        try
        {
            return await act(new SecretStore(values[0]!, values[1]!, values[2]!, values[3]!, values[4]!));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {exception.Message.ReplaceLineEndings(" ")}");
            return ExitCodes.Failure;
        }
    }

    private static void Print(TextWriter text, SecretReport report)
    {
        foreach (var secret in report.Secrets)
        {
            text.WriteLine($"  {(secret.IsOpen ? "OPEN" : "ok"),-6} {Printable.Of(secret.Name),-24} {secret.Purpose}");
            text.WriteLine($"         {"",-24} read by {string.Join(", ", secret.Readers)}");
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"         {"",-24} {Printable.Of(secret.File)}{(secret.Mode is null ? "" : $", mode {secret.Mode}")}, "
                    + $"changed {Days(secret.Changed)} ago{Rotated(secret)}"));
        }

        text.WriteLine();
        text.WriteLine(report.IsGood
            ? $"{report.Secrets.Count} secrets, each for its owner alone."
            : $"{report.Secrets.Count(secret => secret.IsOpen)} of {report.Secrets.Count} secrets can be read or changed by others: "
                + "'chmod go=' closes their files.");
    }

    private static string Rotated(StoredSecret secret) =>
        secret.CanBeRotatedLive ? "; can be rotated while the stack runs" : secret.CanBeRotated ? "" : "; cannot be rotated by a command";

    private static string Days(DateTime changed) =>
        (int)(DateTime.UtcNow - changed).TotalDays is var days && days == 1 ? "1 day" : string.Create(CultureInfo.InvariantCulture, $"{days} days");
}
