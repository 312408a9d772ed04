using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Platform.Jobs;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Queries;

/// <summary>The command line of slow operations: <c>./platform queries</c>.</summary>
internal static partial class QueriesCommand
{
    private const string Name = "queries";
    private const int Wide = 110;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Makes it.</summary>
    public static Command Create() =>
        new(Name, "Slow operations of the database, since the monitor started: never with a value of a document.") { Top(), Slow(), Explain() };

    private static Command Top()
    {
        var most = Most("shapes");
        var command = new Command("top", "The shapes of operations that took the most time together.") { most, JobCommandLine.Json };
        command.SetAction((parsed, token) => RunAsync(async monitor =>
        {
            var shapes = await monitor.GetFromJsonAsync<List<SlowShape>>($"{QueryPaths.Top[1..]}?most={parsed.GetValue(most)}", s_json, token);
            return JobReport.Print(shapes!, parsed.GetValue(JobCommandLine.Json), Print, isGood: true);
        }));
        return command;
    }

    private static Command Slow()
    {
        var most = Most("operations");
        var command = new Command("slow", "The latest slow operations, the latest first.") { most, JobCommandLine.Json };
        command.SetAction((parsed, token) => RunAsync(async monitor =>
        {
            var operations = await monitor.GetFromJsonAsync<List<SlowOperation>>($"{QueryPaths.Latest[1..]}?most={parsed.GetValue(most)}", s_json, token);
            return JobReport.Print(operations!, parsed.GetValue(JobCommandLine.Json), Print, isGood: true);
        }));
        return command;
    }

    private static Command Explain()
    {
        var id = new Argument<string>("shape") { Description = "The shape's id, as 'top' and 'slow' print it." };
        id.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !Id().IsMatch(token.Value))
            {
                result.AddError($"'{token.Value}' is no shape's id: it has eight hexadecimal digits, and 'top' prints it.");
            }
        });
        var command = new Command("explain", "What is known of a shape: its plan, what it reads for what it returns, and what that means.")
        {
            id, JobCommandLine.Json,
        };
        command.SetAction((parsed, token) => RunAsync(async monitor =>
        {
            using var answer = await monitor.GetAsync($"{QueryPaths.Shape[1..]}/{parsed.GetValue(id)}", token);
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                await Console.Error.WriteLineAsync($"{Name}: there is no shape {parsed.GetValue(id)}: 'top' shows those of which something was slow.");
                return ExitCodes.Refused;
            }

            answer.EnsureSuccessStatusCode();
            var shape = await answer.Content.ReadFromJsonAsync<SlowShape>(s_json, token);
            return JobReport.Print(shape!, parsed.GetValue(JobCommandLine.Json), Print, isGood: true);
        }));
        return command;
    }

    private static Option<int> Most(string what) => JobCommandLine.WholeNumber("--most", what, $"How many {what}. Default: 20.", 20, 1, 200);

    private static async Task<int> RunAsync(Func<HttpClient, Task<int>> work)
    {
        if (Environment.GetEnvironmentVariable(SettingNames.MonitorUrl) is not { Length: > 0 } url || !ServerUrl.IsValid(url))
        {
            await Console.Error.WriteLineAsync($"{Name}: there is no monitor: './platform run --with monitoring' has one.");
            return ExitCodes.Configuration;
        }

        using var monitor = ServerUrl.ClientOf(url, new SocketsHttpHandler { UseProxy = false }, s_timeout);
        try
        {
            return await work(monitor);
        }
        catch (HttpRequestException exception) when (exception.StatusCode is { } status)
        {
            await Console.Error.WriteLineAsync($"{Name}: the monitor refuses that: {(int)status} ({status}).");
            return ExitCodes.Failure;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            await Console.Error.WriteLineAsync($"{Name}: the monitor does not answer: {exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}.");
            return ExitCodes.Unavailable;
        }
    }

    private static void Print(TextWriter writer, List<SlowShape> shapes)
    {
        if (shapes.Count == 0)
        {
            writer.WriteLine("Nothing was slow since the monitor started.");
            return;
        }

        writer.WriteLine($"{"shape",-8}  {"count",7}  {"total",9}  {"mean",8}  {"longest",8}  {"read",9}  {"returned",9}  collection and command");
        foreach (var shape in shapes)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{shape.Id}  {shape.Count,7}  {Time(shape.TotalMilliseconds),9}  {Time(shape.TotalMilliseconds / shape.Count),8}  "
                    + $"{Time(shape.MaxMilliseconds),8}  {shape.Documents,9}  {shape.Returned,9}  {Cut($"{shape.Collection}: {shape.Shape}")}"));
            writer.WriteLine($"{"",8}  {(shape.Plan.Length > 0 ? shape.Plan : "no plan known")}");
        }
    }

    private static void Print(TextWriter writer, List<SlowOperation> operations)
    {
        if (operations.Count == 0)
        {
            writer.WriteLine("Nothing was slow since the monitor started.");
        }

        foreach (var one in operations)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{one.At:yyyy-MM-dd HH:mm:ss.fff}  {one.Shape}  {Time(one.Milliseconds),8}  {one.Collection}, {one.Member}, by {one.Application}: "
                    + $"{(one.Plan.Length > 0 ? one.Plan : "no plan known")}, documents {one.Documents}, returned {one.Returned}"));
        }
    }

    private static void Print(TextWriter writer, SlowShape shape)
    {
        writer.WriteLine($"{shape.Id}  {shape.Collection}, {shape.Operation}");
        writer.WriteLine();
        writer.WriteLine($"  command   {shape.Shape}");
        writer.WriteLine($"  plan      {(shape.Plan.Length > 0 ? shape.Plan : "not known")}");
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  times     {shape.Count}, together {Time(shape.TotalMilliseconds)}, mean {Time(shape.TotalMilliseconds / Math.Max(shape.Count, 1))}, "
                + $"longest {Time(shape.MaxMilliseconds)}"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  read      {shape.Documents} documents and {shape.Keys} entries of indexes, for {shape.Returned} that were returned"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  seen      {shape.First:yyyy-MM-dd HH:mm:ss} to {shape.Last:yyyy-MM-dd HH:mm:ss} UTC, last by {shape.Application}"));
        writer.WriteLine();
        foreach (var finding in shape.Findings)
        {
            writer.WriteLine($"  {finding}");
        }

        writer.WriteLine("  './platform migrator indexes advise' says which index would help.");
    }

    private static string Time(long milliseconds) =>
        milliseconds < 10_000 ? $"{milliseconds} ms" : string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s");

    private static string Cut(string text) => text.Length <= Wide ? text : $"{text[..(Wide - 1)]}…";

    [GeneratedRegex("^[0-9a-f]{8}$")]
    private static partial Regex Id();
}
