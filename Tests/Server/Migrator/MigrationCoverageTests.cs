using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Platform.Migrator.Authoring;
using Platform.Migrator.Execution;
using Xunit;

namespace Platform.Tests.Server.Migrator;

public sealed class MigrationCoverageTests
{
    // What the projects have without asking: ImplicitUsings, and the tests what they share.
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; "
            + "global using System.Threading; global using System.Threading.Tasks; "
        + "global using Platform.Tests.TestKit.Servers;";

    [Fact]
    public void Every_shipped_migration_has_a_class_that_passes_the_contract()
    {
        Assert.NotEmpty(MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly));
        Assert.Empty(Uncovered(typeof(MigrationRunner).Assembly, typeof(MigrationContract).Assembly));
    }

    [Fact]
    public void What_new_writes_compiles_and_is_missed_when_its_test_is()
    {
        var root = Directory.CreateTempSubdirectory("new-migration-");
        try
        {
            root.CreateSubdirectory(MigrationScaffold.Migrations);
            var files = MigrationScaffold.Create(root.FullName, "split_customer_name");
            var (source, test) = (Path.Combine(root.FullName, files[0]), Path.Combine(root.FullName, files[1]));

            var alone = Compile([source], resource: source);
            var complete = Compile([source, test], resource: source);

            Assert.Equal("0001_split_customer_name", Assert.Single(MigrationCatalogue.FindIn(alone)).FullName);
            Assert.Equal(["SplitCustomerNameTests"], Uncovered(alone, alone));
            Assert.Empty(Uncovered(complete, complete));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Uncovered(Assembly migrations, Assembly tests) =>
        MigrationCatalogue.FindIn(migrations).Select(migration => migration.Migration.GetType().Name + "Tests")
            .Except(tests.GetTypes().Where(type => type.IsSubclassOf(typeof(MigrationContract))).Select(type => type.Name));

    private static Assembly Compile(IEnumerable<string> files, string resource)
    {
        var trees = files.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file)).Append(CSharpSyntaxTree.ParseText(Usings));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        // The name of an assembly that sees the migrator's internal types.
        var compilation = CSharpCompilation.Create("Platform.Tests.Unit", trees, references, new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, generalDiagnosticOption: ReportDiagnostic.Error));
        using var output = new MemoryStream();
        var result =
            compilation.Emit(output, manifestResources: [new ResourceDescription(Path.GetFileName(resource), () => File.OpenRead(resource), isPublic: true)]);
        Assert.Empty(result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).Select(diagnostic => diagnostic.ToString()));
        return Assembly.Load(output.ToArray());
    }
}
