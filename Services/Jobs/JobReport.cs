using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Jobs;

/// <summary>Prints what a job found, as text for people or as JSON for programs.</summary>
public static class JobReport
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // It is read by people too, and never part of a web page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Whether people look at the output, and want colours: <see href="https://no-color.org/"/>.</summary>
    public static bool HasColours => !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>JSON with camelCase names and enum values.</summary>
    /// <typeparam name="TReport">What kind of report.</typeparam>
    /// <param name="report">The report.</param>
    public static string Json<TReport>(TReport report) => JsonSerializer.Serialize(report, s_json);

    /// <summary>Prints a report.</summary>
    /// <typeparam name="TReport">What kind of report.</typeparam>
    /// <param name="report">The report.</param>
    /// <param name="json">Whether as JSON.</param>
    /// <param name="print">Prints it as text.</param>
    /// <param name="isGood">Whether it says that all is as it should be.</param>
    /// <returns><see cref="ExitCodes.Success"/> when it does, else <see cref="ExitCodes.Refused"/>.</returns>
    public static int Print<TReport>(TReport report, bool json, Action<TextWriter, TReport> print, bool isGood)
    {
        ArgumentNullException.ThrowIfNull(print);
        if (json)
        {
            Console.Out.WriteLine(Json(report));
        }
        else
        {
            print(Console.Out, report);
        }

        return isGood ? ExitCodes.Success : ExitCodes.Refused;
    }
}
