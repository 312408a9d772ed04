using System.Globalization;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Keys;

/// <summary>Prints reports on keys for people.</summary>
internal static class KeyText
{
    public static void Print(TextWriter output, KeyStatusReport report)
    {
        if (report.Keys.Count > 0)
        {
            var table = New("Key", "Master key", "Created", "Updated");
            foreach (var key in report.Keys)
            {
                Row(table, key.Name, key.Provider, Day(key.Created), Day(key.Updated));
            }

            PrintTable(output, table);
        }

        Print(output, report.Fields);
        output.WriteLine(report.MasterKey is { } master ? $"The master key is {master}." : "This program has no master key.");
    }

    public static void Print(TextWriter output, KeyRotationReport report) => output.WriteLine(
        $"{Number(report.Rotated)} of {Number(report.Keys)} keys were encrypted anew; all are encrypted with {report.MasterKey}. Programs take that file as "
            + "Encryption:MasterKeyFile, and need the one before it no more, but for backups that were made before.");

    public static void Print(TextWriter output, KeyShredReport report)
    {
        Print(output, report.Fields);
        output.WriteLine(
            $"The key of tenant {report.Tenant} is destroyed: what it encrypted cannot be read any more. Programs that run keep it for 60 s at most. "
                + "Backups that were made before have it still, encrypted with the master key, until the last of them expires.");
    }

    public static void Print(TextWriter output, KeyEncryptReport report) => output.WriteLine($"{Number(report.Documents)} documents were encrypted.");

    private static void Print(TextWriter output, IReadOnlyList<FieldState> fields)
    {
        var table = New("Field", ">Encrypted", ">Plain");
        foreach (var field in fields)
        {
            Row(table, $"{field.Collection}.{field.Field}", Number(field.Encrypted), Number(field.Plain));
        }

        PrintTable(output, table);
    }

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
