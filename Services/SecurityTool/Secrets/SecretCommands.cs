using System.CommandLine;
using System.Globalization;
using Platform.Jobs;

namespace Platform.SecurityTool.Secrets;

/// <summary>The command line of a checkout's secrets.</summary>
internal static class SecretCommands
{
    private const string Name = "secrets";

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
            return JobReport.Print(report, parsed.GetValue(JobCommandLine.Json), Print, report.IsGood);
        }));

        var name = new Argument<string>("NAME") { Description = "The secret, as 'list' names it." };
        var rotate = new Command("rotate", "Takes a secret away on a stopped stack, so that the next start makes a new one.") { name };
        rotate.SetAction((parsed, cancellationToken) => WithStoreAsync(store => Rotate(store, parsed.GetValue(name)!)));

        return new Command(Name, "The secrets that this checkout has generated.") { list, rotate.Audited("secretRotate") };
    }

    private static int Rotate(SecretStore store, string name)
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

        if (!store.Remove(secret))
        {
            Console.Error.WriteLine($"{Name}: {name} is not there: the next start that needs it makes it.");
            return ExitCodes.Refused;
        }

        Console.Out.WriteLine($"{name} is taken away. {secret.Rotation}");
        return ExitCodes.Success;
    }

    private static async Task<int> WithStoreAsync(Func<SecretStore, int> act)
    {
        var values = s_variables.Select(Environment.GetEnvironmentVariable).ToList();
        if (values.FindIndex(string.IsNullOrEmpty) is >= 0 and var missing)
        {
            await Console.Error.WriteLineAsync($"{Name}: {s_variables[missing]} is not set.");
            return ExitCodes.Configuration;
        }

        try
        {
            return act(new SecretStore(values[0]!, values[1]!, values[2]!, values[3]!, values[4]!));
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
                    + $"changed {Days(secret.Changed)} ago{(secret.CanBeRotated ? "" : "; cannot be rotated by a command")}"));
        }

        text.WriteLine();
        text.WriteLine(report.IsGood
            ? $"{report.Secrets.Count} secrets, each for its owner alone."
            : $"{report.Secrets.Count(secret => secret.IsOpen)} of {report.Secrets.Count} secrets can be read or changed by others: "
                + "'chmod go=' closes their files.");
    }

    private static string Days(DateTime changed) =>
        (int)(DateTime.UtcNow - changed).TotalDays is var days && days == 1 ? "1 day" : string.Create(CultureInfo.InvariantCulture, $"{days} days");
}
