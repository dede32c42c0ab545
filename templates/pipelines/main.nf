// One report per experiment folder, as a Nextflow process in the form of an nf-core module.
//   nextflow run main.nf --experiments 'data/examples/*' --outdir reports
// The exit status of kit run: 0 made, 1 not made, 2 bad usage, 3 a verdict as bad as --fail-on.

process KIT_REPORT {
    tag "${meta.id}"
    label 'process_low'
    container "${params.container ?: 'asn-dropout-kit:latest'}"
    publishDir "${params.outdir ?: 'reports'}", mode: 'copy', saveAs: { name -> name - 'reports/' }

    input:
    tuple val(meta), path(experiment)

    output:
    tuple val(meta), path("reports/${meta.id}"), emit: report
    tuple val(meta), path("${meta.id}.json"), emit: summary
    tuple val(meta), path("${meta.id}.status"), emit: status
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    """
    status=0
    kit run '${experiment}' --out reports --workers ${task.cpus} --json ${args} > '${meta.id}.json' || status=\$?
    echo "\$status" > '${meta.id}.status'
    # With 3 the report is there: its verdict is as bad as --fail-on.
    [ "\$status" = 0 ] || [ "\$status" = 3 ] || exit "\$status"

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        asn-dropout-kit: \$(kit --version | sed 's/^kit //')
        python: \$(python -c 'import platform; print(platform.python_version())')
    END_VERSIONS
    """

    stub:
    """
    mkdir -p 'reports/${meta.id}'
    touch 'reports/${meta.id}/report.html' '${meta.id}.json' versions.yml
    echo 0 > '${meta.id}.status'
    """
}

workflow {
    experiments = Channel.fromPath(params.experiments, type: 'dir', checkIfExists: true)
    KIT_REPORT(experiments.map { folder -> tuple([id: folder.name], folder) })
}
